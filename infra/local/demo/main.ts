/**
 * `npm run demo`: sends 2,000 orders and three changes of stock through the deployed consumers and checks what became of them. Exit code 0 only if every
 * check held.
 */
import Table from 'cli-table3';
import { logLevel } from 'kafkajs';
import { Listr } from 'listr2';
import { kafkaJsClient } from '../../../shared/adapters/kafka/kafkajs-client.ts';
import { LocalCloudError } from '../local-cloud-error.ts';
import { type CloudContext, startupTasks, stopCloud } from '../startup-tasks.ts';
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

interface DemoContext extends CloudContext {
  /** Where the topics ended when the demo began. */
  firstOffsets?: { readonly orders: Map<number, number>; readonly letters: Map<number, number> };
  found?: readonly Check[];
}

/** The guards stop the servers when this process ends. */
for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
  process.on(signal, () => process.exit(code));
}

const startedMs = performance.now();
const plan = demoPlan(ORDERS);
const credit = await startCreditService({ [plan.flaky]: 2 });
const context: DemoContext = {};
/** Lines of functions are shown only if the demo fails. */
const printed: string[] = [];

const tasks = new Listr<DemoContext>(
  [
    ...startupTasks({
      partitions: DEMO_PARTITIONS,
      context: { creditCheckUrl: credit.url },
      consumersOptions: async () => ({
        consumers: ['Orders', 'Stock'],
        onLog: (name, line) => printed.push(`${name} ${line}`),
      }),
    }),
    {
      title: `Produce ${ORDERS} orders over ${DEMO_PARTITIONS} partitions, one twice, one poison order, and three changes of stock`,
      task: async (_, task) => {
        const { kafka, admin, orders, stock, letters } = await running();
        context.firstOffsets = {
          orders: await endOffsets(admin, orders.mapping.topic),
          letters: await endOffsets(admin, letters),
        };
        const producer = kafka.producer({ allowAutoTopicCreation: false });
        await producer.connect();
        await producer.send({ topic: stock.mapping.topic, acks: -1, messages: [...STOCK_CHANGES] });
        for (let start = 0; start < plan.records.length; start += CHUNK) {
          const messages = plan.records.slice(start, start + CHUNK);
          await producer.send({ topic: orders.mapping.topic, acks: -1, messages: [...messages] });
          task.output = `${start + messages.length} of ${plan.records.length}`;
        }
        await producer.disconnect();
      },
    },
    {
      title: 'Watch them through',
      task: async (_, task) => {
        const { kafka, admin, description, orders, stock, letters } = await running();
        const { endpoint, deployed } = description;
        const { firstOffsets } = context;
        if (firstOffsets === undefined) throw new Error('nothing was produced');
        const onLag = (left: number) => {
          const text = `${plan.records.length - left} of ${plan.records.length} records are settled`;
          if (task.output !== text) task.output = text;
        };
        const lag = await untilConsumed(admin, orders, CONSUMED_WITHIN_MS, onLag);
        await untilConsumed(admin, stock, CONSUMED_WITHIN_MS, () => {});
        await context.consumers?.catchUp();
        const ofOrders = checks(plan, {
          applications: await applicationsIn(endpoint, deployed.outputs['OrdersTableName'] ?? ''),
          requests: credit.requests,
          letters: await lettersSince(kafka, admin, letters, firstOffsets.letters),
          firstOffsets: firstOffsets.orders,
          alarm: await deadLetterAlarm(endpoint, ALARM_WITHIN_MS),
          lag,
        });
        context.found = [...ofOrders, await releaseParkedKey(description, stock)];
        await admin.disconnect();
      },
    },
  ],
  {
    ctx: context,
    registerSignalListeners: false,
    fallbackRenderer: 'simple',
    rendererOptions: { collapseErrors: false },
  },
);

await tasks.run().catch((error) => {
  // The task list has already shown expected errors.
  if (!(error instanceof LocalCloudError)) console.error(error);
});
const { found = [] } = context;
const held = found.length > 0 && found.every((check) => check.held);
if (found.length > 0) console.log(tableOf(found));
if (!held) for (const line of printed.slice(-50)) console.log(line);
await stopCloud(context);
await credit.stop();
const seconds = Math.round((performance.now() - startedMs) / 1_000);
console.log(held ? `Every check held, in ${seconds} s. To play with it: npm run local` : 'The demo failed.');
process.exit(held ? 0 : 1);

async function running() {
  const { description } = context;
  const [orders, stock] = ['Orders', 'Stock'].map((wanted) =>
    description?.deployed.consumers.find(({ name }) => name === wanted),
  );
  const letters = orders?.deadLetterTopic?.topicName;
  if (description === undefined || orders === undefined || stock === undefined || letters === undefined) {
    throw new LocalCloudError('The stacks have no consumers called Orders and Stock with dead-letter topics.');
  }
  const brokers = description.bootstrapServers.split(',');
  const kafka = kafkaJsClient({ clientId: 'demo', brokers, logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  return { description, orders, stock, letters, kafka, admin };
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
