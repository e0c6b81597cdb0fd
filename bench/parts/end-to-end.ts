import { setTimeout as pause } from 'node:timers/promises';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { deployStacks } from '../../infra/local/deploy-stacks.ts';
import { startDynamoDbLocal } from '../../infra/local/dynamodb-local.ts';
import { startServers } from '../../infra/local/servers.ts';
import { CONSUMERS } from '../end-to-end/consumers.ts';
import {
  type Assignment,
  type Contestant,
  groupOf,
  lockstepOnLambda,
  plainKafkaJs,
  startAtTheEnd,
} from '../end-to-end/contestants.ts';
import { EFFECTS_TABLE } from '../end-to-end/effect.ts';
import { delayWithin, type Handled, together } from '../end-to-end/handled.ts';
import { type Producing, producing } from '../end-to-end/produce.ts';
import { figure } from '../report/statistics.ts';
import type { Part } from './part.ts';

const APP = 'npx node bench/end-to-end/app.ts';
const LOOK_EVERY_MS = 200;
/** A consumer that handles nothing for this long has failed. */
const PATIENCE_MS = 60_000;
/** The paced run, for delays without a backlog. */
const PACE = { records: 1_000, perSecond: 100 };

/** With a commit after each record a backlog takes minutes. */
const LARGEST_BY_RECORD = 5_000;
const CONTESTANTS = ['lockstep', 'batch', 'record'] as const;
const NAMES = {
  lockstep: 'lockstep on the local cloud',
  batch: 'kafkajs, a commit after each batch',
  record: 'kafkajs, a commit after each record',
} as const;

/** From a producer through a real broker to the handler, compared with plain kafkajs consumers that do the same. */
export const endToEnd: Part = async ({ endToEndRecords, progress }) => {
  progress('end to end: starting the local cloud');
  await using dynamoDb = await startDynamoDbLocal();
  await createEffectsTable(dynamoDb.clientConfig);
  const servers = await startServers();
  try {
    const effectsEndpoint = dynamoDb.endpoint;
    const cloud = await deployStacks(servers.description, { app: APP, context: { effectsEndpoint } });
    await using producer = await producing(cloud.bootstrapServers);
    const rows: string[][] = [];
    for (const consumer of CONSUMERS) {
      const all = consumer.hasEffects ? Math.ceil(endToEndRecords / 10) : endToEndRecords;
      const work = consumer.hasEffects ? 'one item written' : 'nothing';
      for (const name of CONTESTANTS) {
        const backlog = name === 'record' ? Math.min(all, LARGEST_BY_RECORD) : all;
        progress(`end to end: ${NAMES[name]}; ${work}; ${backlog.toLocaleString('en')} records`);
        const assignment = { cloud, consumer, effectsEndpoint };
        if (name !== 'lockstep')
          await startAtTheEnd(cloud.bootstrapServers, consumer.topic, groupOf(consumer.topic, name));
        await producer.all(consumer.topic, backlog);
        await using contestant = await started(name, assignment);
        const drained = await until(contestant, backlog);
        const paced = await pacedRun(producer, contestant, consumer.topic);
        rows.push([
          `${NAMES[name]}; ${work}`,
          drained.records.toLocaleString('en'),
          figure((drained.records / (drained.lastAt - drained.firstAt)) * 1_000),
          String(delayWithin(paced, 0.5)),
          String(delayWithin(paced, 0.99)),
        ]);
        progress(`end to end: ${rows.at(-1)?.join(', ')}`);
      }
    }
    return {
      title: 'End to end on the local cloud',
      text: `Records of 300 bytes in a topic of six partitions on a real Apache Kafka broker. Records a second: a backlog, from the first record handled to the last. Milliseconds from produced to handled: ${PACE.perSecond} records a second for ${PACE.records / PACE.perSecond} seconds, without a backlog. Lockstep: the function as the construct deploys it, batches of at most 500, its ledger on the emulator, invoked through its API by the local event source; everything on this one machine, the emulator (which is not DynamoDB) and the event source included. The plain consumers connect to the broker themselves: no Lambda, no ledger, no dead letters; six partitions side by side. An item written goes to DynamoDB Local, in all of them.`,
      tables: [{ head: ['consumer; what its handler does', 'records', 'records/s', 'p50 ms', 'p99 ms'], rows }],
    };
  } finally {
    await servers.stop();
  }
};

function started(name: (typeof CONTESTANTS)[number], assignment: Assignment): Promise<Contestant> {
  return name === 'lockstep' ? lockstepOnLambda(assignment) : plainKafkaJs(name, assignment);
}

async function pacedRun(producer: Producing, contestant: Contestant, topic: string): Promise<Handled> {
  const handled = until(contestant, PACE.records);
  await producer.paced(topic, PACE.records, PACE.perSecond);
  return handled;
}

/** The reports of a consumer until it has handled this many records. @throws when nothing happens for long */
async function until(contestant: Contestant, records: number): Promise<Handled> {
  const reported: Handled[] = [];
  let sum = 0;
  for (let waitedMs = 0; sum < records; waitedMs += LOOK_EVERY_MS) {
    if (waitedMs >= PATIENCE_MS) throw new Error(`${sum} of ${records} records were handled, then nothing for a while`);
    await pause(LOOK_EVERY_MS);
    for (const handled of await contestant.take()) {
      reported.push(handled);
      sum += handled.records;
      waitedMs = 0;
    }
  }
  return together(reported);
}

async function createEffectsTable(clientConfig: ConstructorParameters<typeof DynamoDBClient>[0]): Promise<void> {
  const client = new DynamoDBClient(clientConfig ?? {});
  await client.send(
    new CreateTableCommand({
      TableName: EFFECTS_TABLE,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    }),
  );
  client.destroy();
}
