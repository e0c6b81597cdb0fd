import { join } from 'node:path';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { logLevel } from 'kafkajs';
import type { CloudDescription } from '../../infra/local/cloud-description.ts';
import { runConsumers } from '../../infra/local/consumers.ts';
import type { DeployedConsumer } from '../../infra/local/deployed.ts';
import type { ResendReading } from '../../infra/local/event-source/decide.ts';
import { lambdaInvoker } from '../../infra/local/event-source/lambda-invoker.ts';
import type { LocalKafka } from '../../infra/local/kafka.ts';
import { clientConfig } from '../../infra/local/local-endpoint.ts';
import { kafkaJsClient } from '../../shared/adapters/kafka/kafkajs-client.ts';
import { DEFAULTS } from '../../shared/options.ts';
import { Random } from '../../shared/testing/random.ts';
import { conduct, USUAL_TROUBLE } from './conduct.ts';
import { countTries } from './count-tries.ts';
import type { DynamoDbProxy, ProxyFault } from './dynamodb-proxy.ts';
import type { Evidence, Finding, PromiseName, Standstill } from './evidence.ts';
import { type FaultCounts, noFaults, planFaults, type StagedFault } from './faults.ts';
import { lettersInQueue, lettersOnTopic } from './found-letters.ts';
import { openHistory } from './history-file.ts';
import { judge } from './judge/judge.ts';
import { ledgerPending } from './ledger-pending.ts';
import { planRecords } from './plan.ts';
import type { Stage } from './stage.ts';
import { untilThrough } from './until-through.ts';
import { watchedInvoker } from './watched-invoker.ts';

const DELIVERED_TWICE = 0.03;
/** What becomes of a request in trouble, the frequent ones more than once. */
const TROUBLES = ['throttled', 'throttled', 'throttled', 'answerLost', 'answerLost', 'cut', 'slow'] as const;
const JUDGED_AT_THE_END: ReadonlySet<PromiseName> = new Set(['stuck', 'lost', 'unsettled', 'letterMissing']);

export interface ReadingOptions {
  readonly seed: number;
  readonly records: number;
  readonly partitions: number;
  readonly reading: ResendReading;
  readonly faults: readonly StagedFault[];
  readonly cloud: CloudDescription;
  readonly consumer: DeployedConsumer;
  readonly broker: LocalKafka;
  readonly proxy: DynamoDbProxy;
  readonly onProgress: (line: string) => void;
  /** Ends the run at the first untrue answer; what is open then is not judged. */
  readonly endsAtUntrueAnswer: boolean;
}

/** What came of a run under one reading. */
export interface ReadingResult {
  readonly reading: ResendReading;
  readonly records: number;
  readonly seconds: number;
  readonly counts: FaultCounts;
  readonly findings: readonly Finding[];
  readonly letters: number;
  /** Handlings beyond the first, within the window. */
  readonly repeats: number;
  readonly ledgerRequests: number;
}

/** Where a consumer's history goes: known before its function is deployed. */
export function historyPath(runFolder: string, name: string): string {
  return join(runFolder, `history-${name}.jsonl`);
}

/** Lets the records of a plan go through a deployed consumer with its faults, waits for the end and judges what is left. */
export async function runReading(options: ReadingOptions): Promise<ReadingResult> {
  const { seed, reading, records, cloud, consumer, proxy, partitions } = options;
  const startedAt = performance.now();
  const counts = noFaults();
  const faults = planFaults(seed, records, options.faults);
  const slices = planRecords(seed, records, partitions, faults.length);
  const kafka = kafkaJsClient({
    brokers: [cloud.bootstrapServers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 20 },
  });
  const admin = kafka.admin();
  const { topicName: letterTopic = '' } = consumer.deadLetterTopic ?? {};
  const history = await openHistory(historyPath(cloud.runFolder, consumer.name));
  const untrueAnswers: string[] = [];
  const isOver = () => options.endsAtUntrueAnswer && untrueAnswers.length > 0;
  await admin.connect();
  try {
    const standstill = await letThrough();
    await history.read();
    const queueUrl = consumer.function.environment['LOCKSTEP_FALLBACK_QUEUE_URL'] ?? '';
    const queue = await lettersInQueue(cloud.endpoint, queueUrl);
    const letters = [...(await lettersOnTopic(kafka, admin, letterTopic)), ...queue.letters];
    const evidence: Evidence = {
      topic: consumer.mapping.topic,
      partitions,
      checkpointMs: DEFAULTS.checkpointMs,
      produced: slices.flat(),
      history: history.events,
      letters,
      ledger: proxy.events(),
      pending: await ledgerPending(cloud, consumer),
      untrueAnswers,
      abandoned: queue.others,
      standstill,
    };
    return {
      ...{ reading, records },
      seconds: (performance.now() - startedAt) / 1_000,
      counts: { ...counts, ...countTries(evidence), queueLetters: queue.letters.length },
      findings: judge(evidence).filter(({ promise }) => !isOver() || !JUDGED_AT_THE_END.has(promise)),
      letters: new Set(letters.map(({ id }) => id)).size,
      repeats: history.events.filter(({ what }) => what === 'done').length - history.handled(),
      ledgerRequests: proxy.requests(),
    };
  } finally {
    await admin.disconnect();
    await history.close();
  }

  async function letThrough(): Promise<Standstill | undefined> {
    const deliveries = new Random(seed, `${reading} deliveries`);
    const troubles = new Random(seed, `${reading} troubles`);
    const random = new Random(seed, `${reading} moments`);
    const lambda = new LambdaClient({ ...clientConfig(cloud.endpoint), maxAttempts: 1 });
    const producer = kafka.producer({ allowAutoTopicCreation: false, idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    const running = await runConsumers(cloud, {
      consumers: [consumer.name],
      resend: reading,
      pollers: 1,
      invokerOf: () => watchedInvoker(lambdaInvoker(lambda), (text) => untrueAnswers.push(text)),
      eventSource: { deliverTwice: () => deliveries.chance(DELIVERED_TWICE) },
    });
    try {
      const { broker, onProgress } = options;
      const { eventSource } = running;
      const stage: Stage = {
        ...{ cloud, consumer, letterTopic, broker, admin, eventSource, proxy, history, random, counts },
        trouble: USUAL_TROUBLE,
      };
      proxy.begin(consumer.mapping.topic, () => {
        if (!troubles.chance(stage.trouble)) return undefined;
        const fault = troubles.pick<ProxyFault>(TROUBLES);
        counts[fault] += 1;
        return fault;
      });
      for (const [index, slice] of slices.entries()) {
        const fault = faults[index];
        onProgress(`${fault ?? 'the rest'}, ${history.handled()} of ${records} handled`);
        const produce = async () => {
          for (const messages of Map.groupBy(slice, ({ partition }) => partition).values())
            await producer.send({ topic: consumer.mapping.topic, acks: -1, messages });
        };
        if (fault === undefined) await produce();
        else await conduct(fault, { records: slice, produce }, stage);
        if (isOver()) break;
      }
      stage.trouble = 0;
      const pollers = () => eventSource.pollers(consumer.mapping.uuid);
      const standstill = await untilThrough({ admin, consumer, history, records, isOver, onProgress, pollers });
      const { resends, rebalances, deliveredTwice } = eventSource.stats(consumer.mapping.uuid);
      Object.assign(counts, { resent: resends, rebalances, deliveredTwice });
      return standstill;
    } finally {
      await running.stop();
      lambda.destroy();
      await producer.disconnect();
    }
  }
}
