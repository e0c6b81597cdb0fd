/** `npm run local`: the local cloud, until Ctrl-C. */
import { Command, Option } from 'commander';
import { Listr } from 'listr2';
import { startAcceptingService } from './accepting-service.ts';
import { CLOUD_FILE, type CloudDescription, removeCloudFile, writeCloudFile } from './cloud-description.ts';
import type { ConsumersOptions } from './consumers.ts';
import { describeCloud } from './describe-cloud.ts';
import { RESEND_READINGS, type ResendReading } from './event-source/decide.ts';
import { inspectFunction } from './inspect-invoker.ts';
import { LocalCloudError } from './local-cloud-error.ts';
import { type CloudContext, startupTasks, stopCloud } from './startup-tasks.ts';

interface Options {
  readonly inspect?: string;
  readonly inspectBrk?: boolean;
  readonly resend?: ResendReading;
  readonly pollers?: number;
  readonly partitions?: number;
  readonly stage: string;
  readonly app?: string;
  readonly context: readonly string[];
}

const program = new Command('npm run local --')
  .description(
    'Starts Kafka and an emulated AWS, deploys the stacks with cdk, polls the mappings, and stays until Ctrl-C.',
  )
  .option('--inspect <consumer>', 'run this consumer from its TypeScript under the debugger')
  .option('--inspect-brk', 'with --inspect: wait for the debugger before the first line')
  .addOption(new Option('--resend <reading>', 'what partial answers bring back').choices([...RESEND_READINGS]))
  .option('--pollers <count>', 'pollers of each mapping', Number)
  .option('--partitions <count>', 'partitions of each topic', Number)
  .option('--stage <name>', 'stage to deploy', 'local')
  .option('--app <command>', 'command of another CDK app')
  .option('-c, --context <name=value...>', 'further context for cdk', []);

const options = program.parse().opts<Options>();
const context: CloudContext = {};
const stops: (() => Promise<void>)[] = [() => stopCloud(context), removeCloudFile];

/** Ctrl-C while starting needs no care: guards end the servers when this process is gone. */
let isUp = false;
for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
  process.on(signal, () => {
    if (!isUp) process.exit(code);
    isUp = false;
    console.log('\nStopping …');
    void end(code);
  });
}

try {
  // The stage's own payments are charged somewhere: without it every payment would wait.
  const payments = await startAcceptingService();
  stops.push(payments.stop);
  const tasks = startupTasks({
    stage: options.stage,
    context: {
      paymentApiUrl: payments.url,
      ...Object.fromEntries(options.context.map((pair) => pair.split(/=(.*)/s).slice(0, 2))),
    },
    ...(options.partitions !== undefined && { partitions: options.partitions }),
    ...(options.app !== undefined && { app: options.app }),
    consumersOptions,
  });
  await new Listr(tasks, {
    ctx: context,
    registerSignalListeners: false,
    fallbackRenderer: 'simple',
    rendererOptions: { collapseErrors: false },
  }).run();
  if (context.description === undefined) throw new Error('nothing was deployed');
  await writeCloudFile(context.description);
  isUp = true;
  console.log(describeCloud(context.description, CLOUD_FILE));
} catch (error) {
  // What is expected to go wrong the task list has shown.
  if (!(error instanceof LocalCloudError)) console.error(error);
  await end(1);
}

async function consumersOptions(description: CloudDescription): Promise<ConsumersOptions> {
  const print = (name: string, line: string) => {
    // Metrics are for CloudWatch, not for people.
    if (!line.includes('"_aws"')) console.log(`${name.padEnd(10)} ${line}`);
  };
  const common = {
    onLog: print,
    ...(options.resend && { resend: options.resend }),
    ...(options.pollers !== undefined && { pollers: options.pollers }),
  };
  if (options.inspect === undefined) return common;
  const wanted = options.inspect.toLowerCase();
  const consumer = description.deployed.consumers.find(({ name }) => name.toLowerCase() === wanted);
  if (consumer === undefined) {
    const names = description.deployed.consumers.map(({ name }) => name).join(', ');
    throw new LocalCloudError(`No consumer is called ${options.inspect}. There are: ${names}.`);
  }
  const inspected = await inspectFunction(description.endpoint, consumer, {
    breakAtStart: options.inspectBrk ?? false,
    onLine: (line) => {
      print(consumer.name, line);
      context.consumers?.metrics.ingest(line);
    },
  });
  stops.unshift(() => inspected.stop());
  console.log(`Attach a debugger to ${inspected.debugger} (chrome://inspect, or your editor's "attach").`);
  return { ...common, invokerOf: ({ name }) => (name === consumer.name ? inspected : undefined) };
}

async function end(code: number): Promise<void> {
  for (const stop of stops) await stop().catch((error) => console.error(String(error)));
  process.exit(code);
}
