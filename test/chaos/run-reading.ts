import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import type { CloudDescription } from '../../infra/local/cloud-description.ts';
import { runConsumers } from '../../infra/local/consumers.ts';
import type { DeployedConsumer } from '../../infra/local/deployed.ts';
import type { ResendReading } from '../../infra/local/event-source/decide.ts';
import { lambdaInvoker } from '../../infra/local/event-source/lambda-invoker.ts';
import type { LocalKafka } from '../../infra/local/kafka.ts';
import { clientConfig } from '../../infra/local/local-endpoint.ts';
import { DEFAULTS } from '../../shared/options.ts';
import { Random } from '../simulation/random.ts';
import { conduct, USUAL_TROUBLE } from './conduct.ts';
import type { DynamoDbProxy, ProxyFault } from './dynamodb-proxy.ts';
import type { Evidence, Finding, PromiseName, Range } from './evidence.ts';
import { type FaultCounts, noFaults, planFaults, type StagedFault } from './faults.ts';
import { lettersInQueue, lettersOnTopic } from './found-letters.ts';
import { type HistoryFile, openHistory } from './history-file.ts';
import { judge } from './judge/judge.ts';
import { decodeRanges, partitionOf } from './ledger-request.ts';
import { isPoison, type PlannedRecord, planRecords } from './plan.ts';
import type { Stage } from './stage.ts';
import { watchedInvoker } from './watched-invoker.ts';

/** How long nothing may happen before a run that is not through is given up as stuck. */
const PATIENCE_MS = 60_000;
const DELIVERED_TWICE = 0.03;
const JUDGED_AT_THE_END: ReadonlySet<PromiseName> = new Set(['lost', 'unsettled', 'letterMissing']);

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
  const { seed, reading, cloud, consumer, proxy, partitions, onProgress } = options;
  const startedAt = performance.now();
  const counts = noFaults();
  const faults = planFaults(seed, options.records, options.faults);
  const planned = planRecords(seed, options.records, partitions, faults.length);
  const kafka = new Kafka({ brokers: [cloud.bootstrapServers], logLevel: logLevel.NOTHING, retry: { retries: 20 } });
  const admin = kafka.admin();
  const producer = kafka.producer({ allowAutoTopicCreation: false, idempotent: true, maxInFlightRequests: 1 });
  const lambda = new LambdaClient({ ...clientConfig(cloud.endpoint), maxAttempts: 1 });
  const history = await openHistory(historyPath(cloud.runFolder, consumer.name));
  const untrueAnswers: string[] = [];
  const isOver = () => options.endsAtUntrueAnswer && untrueAnswers.length > 0;
  const deliveries = new Random(seed, `${reading} deliveries`);
  const troubles = new Random(seed, `${reading} troubles`);
  await Promise.all([admin.connect(), producer.connect()]);
  const running = await runConsumers(cloud, {
    consumers: [consumer.name],
    resend: reading,
    pollers: 1,
    invokerOf: () => watchedInvoker(lambdaInvoker(lambda), (text) => untrueAnswers.push(text)),
    eventSource: { deliverTwice: () => deliveries.chance(DELIVERED_TWICE) },
  });
  try {
    const { topicName: letterTopic = '' } = consumer.deadLetterTopic ?? {};
    const { eventSource } = running;
    const random = new Random(seed, `${reading} moments`);
    const { broker } = options;
    const stage: Stage = {
      ...{ cloud, consumer, letterTopic, broker, admin, eventSource, proxy, history, random, counts },
      trouble: USUAL_TROUBLE,
    };
    proxy.begin(() => {
      if (!troubles.chance(stage.trouble)) return undefined;
      const fault = troubles.pick<ProxyFault>([
        'throttled',
        'throttled',
        'throttled',
        'answerLost',
        'answerLost',
        'cut',
        'slow',
      ]);
      counts[fault] += 1;
      return fault;
    });
    for (const [index, records] of planned.entries()) {
      const fault = faults[index];
      const produce = async () => {
        for (const partition of Array.from({ length: partitions }, (_, number) => number)) {
          const messages = records.filter((record) => record.partition === partition);
          if (messages.length > 0) await producer.send({ topic: consumer.mapping.topic, acks: -1, messages });
        }
      };
      onProgress(`${fault ?? 'the rest'}, ${history.handled()} of ${options.records} handled`);
      if (fault === undefined) await produce();
      else await conduct(fault, { records, produce }, stage);
      if (isOver()) break;
    }
    stage.trouble = 0;
    await untilThrough({ admin, consumer, history, isOver, onProgress, records: options.records });
    const { resends, rebalances, deliveredTwice } = eventSource.stats(consumer.mapping.uuid);
    Object.assign(counts, { resent: resends, rebalances, deliveredTwice });
  } finally {
    await running.stop();
    lambda.destroy();
    await producer.disconnect();
  }
  await history.read();
  await history.close();
  const queue = await lettersInQueue(
    cloud.endpoint,
    consumer.function.environment['LOCKSTEP_FALLBACK_QUEUE_URL'] ?? '',
  );
  const letters = [
    ...(await lettersOnTopic(kafka, admin, consumer.deadLetterTopic?.topicName ?? '')),
    ...queue.letters,
  ];
  await admin.disconnect();
  const evidence: Evidence = {
    topic: consumer.mapping.topic,
    partitions,
    checkpointMs: DEFAULTS.checkpointMs,
    produced: planned.flat(),
    history: history.events,
    letters,
    ledger: proxy.events(),
    pending: await pendingOf(cloud, consumer),
    untrueAnswers,
    abandoned: queue.others,
  };
  countHandlers(counts, evidence);
  counts.queueLetters = queue.letters.length;
  const done = history.events.filter(({ what }) => what === 'done').length;
  return {
    reading,
    records: options.records,
    seconds: (performance.now() - startedAt) / 1_000,
    counts,
    findings: judge(evidence).filter(({ promise }) => !isOver() || !JUDGED_AT_THE_END.has(promise)),
    letters: new Set(letters.map(({ id }) => id)).size,
    repeats: done - history.handled(),
    ledgerRequests: proxy.requests(),
  };
}

/** Waits until the group has committed everything, or nothing happens any more. */
async function untilThrough(run: {
  readonly admin: Admin;
  readonly consumer: DeployedConsumer;
  readonly history: HistoryFile;
  readonly records: number;
  readonly isOver: () => boolean;
  readonly onProgress: (line: string) => void;
}): Promise<void> {
  const { admin, consumer, history, records, onProgress } = run;
  const { topic, consumerGroupId: groupId } = consumer.mapping;
  let sign = '';
  let signAt = Date.now();
  while (Date.now() - signAt < PATIENCE_MS && !run.isOver()) {
    await history.read();
    const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] });
    const through = committed?.partitions.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0) ?? 0;
    if (through >= records) return;
    const now = `${through} ${history.events.length}`;
    if (now !== sign) {
      sign = now;
      signAt = Date.now();
      onProgress(`${through} of ${records} committed`);
    }
    await pause(500);
  }
}

/** What the ledger's items of this topic say must still come back. */
async function pendingOf({ endpoint }: CloudDescription, consumer: DeployedConsumer): Promise<Map<number, Range[]>> {
  const client = new DynamoDBClient(clientConfig(endpoint));
  const TableName = consumer.function.environment['LOCKSTEP_LEDGER_TABLE'];
  const pending = new Map<number, Range[]>();
  for await (const { Items = [] } of paginateScan({ client }, { TableName, ConsistentRead: true }))
    for (const { pk, pending: owed } of Items)
      if (pk?.S?.includes(`#${consumer.mapping.topic}#`)) pending.set(partitionOf(pk) ?? -1, decodeRanges(owed?.S));
  client.destroy();
  return pending;
}

function countHandlers(counts: FaultCounts, { history, produced, partitions }: Evidence): void {
  const does = new Map(
    produced.map((record): [number, PlannedRecord] => [record.offset * partitions + record.partition, record]),
  );
  for (const { what, partition, offset, attempt } of history) {
    const record = does.get(offset * partitions + partition);
    if (what === 'done' || record === undefined || record.does === 'succeed') continue;
    if (record.does === 'exit') counts.handlerExits += 1;
    else if (isPoison(record) || attempt < 4) counts.failedTries += 1;
  }
}
