/**
 * `npm run demo`: sends 2,000 orders and three changes of stock through the deployed consumers and checks what became of them. Exit code 0 only if every
 * check held.
 */
import Table from 'cli-table3';
import { logLevel } from 'kafkajs';
import { kafkaJsClient } from '../../../shared/adapters/kafka/kafkajs-client.ts';
import { startLocalCloud } from '../dev/start-local-cloud.ts';
import { LocalCloudError } from '../local-cloud-error.ts';
import { OWN_APP, stageContext } from '../own-app.ts';
import { step } from '../step.ts';
import { type Check, checks } from './checks.ts';
import { startCreditService } from './credit-service.ts';
import { DEMO_PARTITIONS, demoPlan } from './demo-plan.ts';
import { applicationsIn, deadLetterAlarm, endOffsets, lettersSince, untilConsumed } from './observe.ts';
import { releaseParkedKey, STOCK_CHANGES } from './parked-key.ts';

const ORDERS = 2_000;
/** How many records are produced at once. */
const CHUNK = 250;
/** The limit only ends a demo that hangs, also on a busy machine. */
const CONSUMED_WITHIN_MS = 600_000;
const ALARM_WITHIN_MS = 180_000;

/** The guards stop the servers when this process ends. */
for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
  process.on(signal, () => process.exit(code));
}

const startedMs = performance.now();
const plan = demoPlan(ORDERS);
const credit = await startCreditService({ [plan.flaky]: 2 });
/** Lines of functions are shown only if the demo fails. */
const printed: string[] = [];
const held = await demo().catch((error) => {
  console.error(error instanceof LocalCloudError ? `✖ ${error.message}` : error);
  return false;
});
if (!held) for (const line of printed.slice(-50)) console.log(line);
await credit.stop();
const seconds = Math.round((performance.now() - startedMs) / 1_000);
console.log(held ? `Every check held, in ${seconds} s. To play with it: npm run local` : 'The demo failed.');
process.exit(held ? 0 : 1);

/** @returns whether every check held */
async function demo(): Promise<boolean> {
  await using stack = new AsyncDisposableStack();
  const { session, stop } = await startLocalCloud({
    app: OWN_APP,
    partitions: DEMO_PARTITIONS,
    context: (servers) => ({ ...stageContext(servers), stage: 'demo', creditCheckUrl: credit.url }),
    consumersOptions: {
      consumers: ['Orders', 'Stock'],
      onLog: (name, line) => printed.push(`${name} ${line}`),
    },
    say: (line) => printed.push(line),
  });
  stack.defer(stop);
  const { endpoint, deployed, bootstrapServers } = session.description;
  const [orders, stock] = ['Orders', 'Stock'].map((wanted) => deployed.consumers.find(({ name }) => name === wanted));
  const letters = orders?.deadLetterTopic?.topicName;
  if (orders === undefined || stock === undefined || letters === undefined)
    throw new LocalCloudError('The stacks have no consumers called Orders and Stock with dead-letter topics.');
  const kafka = kafkaJsClient({ clientId: 'demo', brokers: bootstrapServers.split(','), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  stack.defer(() => admin.disconnect());
  // Where the topics end now: the broker may have been there before.
  const firstOffsets = await endOffsets(admin, orders.mapping.topic);
  const firstLetters = await endOffsets(admin, letters);

  await step(
    `Produce ${ORDERS} orders over ${DEMO_PARTITIONS} partitions, one twice, one poison order, and three changes of stock`,
    async (onProgress) => {
      const producer = kafka.producer({ allowAutoTopicCreation: false });
      await producer.connect();
      await producer.send({ topic: stock.mapping.topic, acks: -1, messages: [...STOCK_CHANGES] });
      for (let start = 0; start < plan.records.length; start += CHUNK) {
        const messages = plan.records.slice(start, start + CHUNK);
        await producer.send({ topic: orders.mapping.topic, acks: -1, messages: [...messages] });
        onProgress(`${start + messages.length} of ${plan.records.length}`);
      }
      await producer.disconnect();
    },
    () => 'Produced',
  );
  const lag = await step(
    'Watch them through',
    async (onProgress) => {
      const total = plan.records.length;
      const onLag = (left: number) => onProgress(`${total - left} of ${total} records are settled`);
      const left = await untilConsumed(admin, orders, CONSUMED_WITHIN_MS, onLag);
      await untilConsumed(admin, stock, CONSUMED_WITHIN_MS, () => {});
      await session.consumers.catchUp();
      return left;
    },
    () => 'The consumer groups have committed them',
  );
  const found = [
    ...checks(plan, {
      applications: await applicationsIn(endpoint, deployed.outputs['OrdersTableName'] ?? ''),
      requests: credit.requests,
      letters: await lettersSince(kafka, admin, letters, firstLetters),
      firstOffsets,
      alarm: await deadLetterAlarm(endpoint, ALARM_WITHIN_MS),
      lag,
    }),
    await releaseParkedKey(session.description, stock),
  ];
  console.log(tableOf(found));
  return found.every((check) => check.held);
}

function tableOf(found: readonly Check[]): string {
  const table = new Table({
    head: ['', 'Promise', 'Found'],
    colWidths: [4, 62, 48],
    wordWrap: true,
    style: { head: [], border: process.stdout.isTTY ? ['grey'] : [] },
  });
  for (const check of found) table.push([check.held ? '✔' : '✘', check.claim, check.found]);
  return table.toString();
}
