/**
 * `npm run demo`: sends 2,000 orders through the deployed consumer and checks what became of them. Exit code 0 only if every
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
        consumers: ['Orders'],
        onLog: (name, line) => printed.push(`${name} ${line}`),
      }),
    }),
    {
      title: `Produce ${ORDERS} orders over ${DEMO_PARTITIONS} partitions, one twice, and one poison order`,
      task: async (_, task) => {
        const { kafka, admin, orders, letters } = await running();
        context.firstOffsets = {
          orders: await endOffsets(admin, orders.mapping.topic),
          letters: await endOffsets(admin, letters),
        };
        const producer = kafka.producer({ allowAutoTopicCreation: false });
        await producer.connect();
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
        const { kafka, admin, description, orders, letters } = await running();
        const { endpoint, deployed } = description;
        const { firstOffsets } = context;
        if (firstOffsets === undefined) throw new Error('nothing was produced');
        const onLag = (left: number) => {
          const text = `${plan.records.length - left} of ${plan.records.length} records are settled`;
          if (task.output !== text) task.output = text;
        };
        const lag = await untilConsumed(admin, orders, CONSUMED_WITHIN_MS, onLag);
        await context.consumers?.catchUp();
        context.found = checks(plan, {
          applications: await applicationsIn(endpoint, deployed.outputs['OrdersTableName'] ?? ''),
          requests: credit.requests,
          letters: await lettersSince(kafka, admin, letters, firstOffsets.letters),
          firstOffsets: firstOffsets.orders,
          alarm: await deadLetterAlarm(endpoint, ALARM_WITHIN_MS),
          lag,
        });
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
  const orders = description?.deployed.consumers.find(({ name }) => name === 'Orders');
  const letters = orders?.deadLetterTopic?.topicName;
  if (description === undefined || orders === undefined || letters === undefined) {
    throw new LocalCloudError('The stacks have no consumer called Orders with a dead-letter topic.');
  }
  const brokers = description.bootstrapServers.split(',');
  const kafka = kafkaJsClient({ clientId: 'demo', brokers, logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  return { description, orders, letters, kafka, admin };
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
