/**
 * The consumer of `lockstep verify`. It handles its records as any consumer does, notes which records each event brings, and answers
 * some events otherwise than Lockstep would: it reports one record in the middle. What Lambda then delivers shows how it reads such
 * an answer. Nothing is lost: the ledger knows the records that come again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from 'aws-lambda';
import * as v from 'valibot';
import { authenticationOf } from '../../shared/adapters/kafka/kafka-security.ts';
import { KafkaJsSession } from '../../shared/adapters/kafka/kafkajs-session.ts';
import { kafkaJsTransactions } from '../../shared/adapters/kafka/kafkajs-transactions.ts';
import { systemClock } from '../../shared/adapters/system/system-clock.ts';
import { connectKafka } from '../../shared/connect-kafka.ts';
import { readEnvironment } from '../../shared/environment.ts';
import { findBrokers } from '../../shared/find-brokers.ts';
import { byPosition, json, lockstepConsumer, NonRetryableError } from '../../shared/lockstep-consumer.ts';
import { deliveryTable } from './deliveries.ts';
import { ExperimentOrder, Probe, VERIFY_TRANSACTIONS } from './experiment.ts';

type Event = Parameters<typeof consumer>[0];
type Answer = Awaited<ReturnType<typeof consumer>>;

const PATIENCE_MS = 20_000;
/** Longer than any timeout. */
const A_DAY_MS = 86_400_000;
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: console.error };
const deliveries = deliveryTable(process.env['DELIVERIES_TABLE'] ?? '');

const consumer = lockstepConsumer({
  value: json(Probe),
  idempotencyKey: byPosition,
  onRecord: ({ value }) => {
    if (value.refused) throw new NonRetryableError('refused by lockstep verify', { code: 'VERIFY_REFUSED' });
  },
});

export async function handler(event: Event | ExperimentOrder, context: Context): Promise<unknown> {
  if ('verify' in event) return carryOut(v.parse(ExperimentOrder, event));
  const startedAt = Date.now();
  const answer = await consumer(event, context);
  return (await note(event, startedAt)) ?? answer;
}

/** Notes what an event brought. @returns another answer, if a record is to be reported */
async function note({ records }: Event, startedAt: number): Promise<Answer | undefined> {
  const found = Object.entries(records).flatMap(([partition, ofPartition]) =>
    ofPartition.flatMap(({ offset, value }) => {
      const probe = v.safeParse(Probe, JSON.parse(Buffer.from(value ?? '', 'base64').toString() || 'null'));
      return probe.success ? [{ partition, offset, probe: probe.output }] : [];
    }),
  );
  const [first] = found;
  if (first === undefined) return undefined;
  const { run } = first.probe;
  const before = await deliveries.of(run);
  const relents = before.some(({ indexes }) => indexes.length === 0);
  const reported = found.find(
    ({ probe: { index, reports = 0 } }) => !relents && before.filter((one) => one.reported === index).length < reports,
  );
  const hangs = found.some(({ probe }) => probe.hangs) && !before.some(({ hung }) => hung);
  const indexes = found.map(({ probe }) => probe.index);
  await deliveries.add(run, {
    startedAt,
    endedAt: Date.now(),
    indexes,
    ...(reported && { reported: reported.probe.index }),
    ...(hangs && { hung: true }),
  });
  if (hangs) await sleep(A_DAY_MS);
  if (reported === undefined) return undefined;
  const { partition, offset } = reported;
  return { batchItemFailures: [{ itemIdentifier: { partition, offset } }] };
}

async function carryOut(order: ExperimentOrder): Promise<unknown> {
  switch (order.verify) {
    case 'produce':
      return produce(order.probes);
    case 'abort':
      return abort(order.probe);
    case 'relent':
      return deliveries.add(order.run, { startedAt: Date.now(), endedAt: Date.now(), indexes: [] });
    case 'deliveries':
      return deliveries.of(order.run);
    case 'forget':
      return deliveries.forget(order.run);
  }
}

/** Whether Lambda delivers the record shows its isolation level. */
async function abort(probe: Probe): Promise<void> {
  const environment = readEnvironment(process.env);
  const { topic } = environment;
  const brokers = await findBrokers(environment);
  const options = { brokers: () => brokers, authentication: authenticationOf(environment), clock: systemClock, log };
  // The first transaction of an id waits until the broker has a place for it.
  const first = kafkaJsTransactions(options, VERIFY_TRANSACTIONS);
  await first.takeOver().finally(() => first.disconnect());
  const session = await KafkaJsSession.open(options, 0);
  const producer = session.kafka.producer({
    transactionalId: VERIFY_TRANSACTIONS,
    idempotent: false,
    maxInFlightRequests: 1,
  });
  try {
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ key: probe.run, value: JSON.stringify(probe) }] });
    await transaction.abort();
  } finally {
    await session.end(() => producer.disconnect());
  }
}

/** All in one request, so that the broker has them in one batch. */
async function produce(probes: readonly Probe[]): Promise<void> {
  const environment = readEnvironment(process.env);
  const { producer, letters } = connectKafka({
    environment,
    brokers: await findBrokers(environment),
    clock: systemClock,
    log,
  });
  const records = probes.map((probe) => ({
    topic: environment.topic,
    key: Buffer.from(probe.run),
    value: Buffer.from(JSON.stringify(probe)),
    headers: [],
  }));
  await producer.produce(records, Date.now() + PATIENCE_MS);
  await letters.disconnect();
}
