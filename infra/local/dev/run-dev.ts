import { Listr } from 'listr2';
import {
  type CloudDescription,
  cloudFileOf,
  cloudProcess,
  removeCloudFile,
  type ServersDescription,
  writeCloudFile,
} from '../cloud-description.ts';
import type { ConsumersOptions } from '../consumers.ts';
import { describeCloud } from '../describe-cloud.ts';
import type { ResendReading } from '../event-source/decide.ts';
import { inspectFunction } from '../inspect-invoker.ts';
import { LocalCloudError } from '../local-cloud-error.ts';
import { type Servers, startServers } from '../servers.ts';
import { sayProgress } from '../startup-tasks.ts';
import type { CdkApp } from './cdk-app.ts';
import { type DevSession, startDevSession } from './dev-session.ts';
import { personLine } from './person-line.ts';

export interface DevOptions {
  readonly app: CdkApp;
  /** A broker that is there, as `host:port,host:port`. @default one is started */
  readonly bootstrapServers?: string;
  /** Prints every line of functions and tools as it is. @default false */
  readonly verbose?: boolean;
  /** Further `-c name=value` for the app. */
  readonly context?: (servers: ServersDescription) => Readonly<Record<string, string>>;
  readonly partitions?: number;
  readonly pollers?: number;
  readonly resend?: ResendReading;
  /** Runs this consumer from its TypeScript under the debugger. */
  readonly inspect?: string;
  readonly inspectBrk?: boolean;
  /** Called last, whatever happens. */
  readonly onEnd?: () => Promise<void>;
}

/** Exit codes of a shell for a program that a signal ended. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Runs a CDK app on a local cloud until Ctrl-C. Ends the process; nothing is left behind. */
export async function runDev(options: DevOptions): Promise<void> {
  const { app, verbose = false } = options;
  const stops: (() => Promise<unknown>)[] = [];
  let isEnding = false;
  const end = async (code: number): Promise<void> => {
    if (isEnding) return;
    isEnding = true;
    for (const stop of stops.reverse()) await stop().catch((error) => console.error(String(error)));
    await options.onEnd?.();
    process.exit(code);
  };
  /** Ctrl-C while starting needs no care: guards end the servers when this process is gone. */
  let isUp = false;
  for (const [signal, code] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      if (!isUp) process.exit(code);
      console.log('\nStopping …');
      void end(code);
    });
  }
  const print = (name: string, line: string): void => {
    // Metrics are for CloudWatch, not for people.
    const shown = verbose ? (line.includes('"_aws"') ? undefined : line) : personLine(line);
    if (shown !== undefined) console.log(`${name.padEnd(10)} ${shown}`);
  };
  const context: { servers?: Servers; session?: DevSession; description?: CloudDescription } = {};
  try {
    const other = await cloudProcess(app.folder);
    if (other !== undefined)
      throw new LocalCloudError(
        `The local cloud already runs this app, in process ${other}. Use it (lockstep status --local), or end it with Ctrl-C there.`,
      );
    const tasks = new Listr<typeof context>(
      [
        {
          title: 'Start Apache Kafka and MiniStack (downloaded the first time)',
          task: async (_, task) => {
            context.servers = await startServers({
              cdk: app.cdk,
              onProgress: (line) => sayProgress(task, line),
              onDeath: (server, lastWords) => {
                console.error(`✖ ${server} has ended by itself: ${lastWords}`);
                void end(1);
              },
              ...(options.bootstrapServers !== undefined && { bootstrapServers: options.bootstrapServers }),
            });
            stops.push(context.servers.stop);
            const { bootstrapServers, endpoint } = context.servers.description;
            task.title = `Apache Kafka is up at ${bootstrapServers}, AWS's APIs at ${endpoint.url}`;
          },
        },
        {
          title: 'Deploy the app',
          task: async (_, task) => {
            const servers = context.servers?.description;
            if (servers === undefined) throw new Error('the servers are not up');
            const session = await startDevSession({
              app,
              servers,
              onProgress: (line) => sayProgress(task, line),
              ...(options.context && { context: options.context(servers) }),
              ...(options.partitions !== undefined && { partitions: options.partitions }),
              consumersOptions: (description) => consumersOptions(description),
              onDeployed: async (description) => {
                context.description = description;
                await writeCloudFile(app.folder, description);
              },
              say: (line) => console.log(line),
            });
            context.session = session;
            stops.push(() => removeCloudFile(app.folder), session.stop);
            const names = context.description?.deployed.consumers.map(({ name }) => name).join(', ');
            task.title = `The app is deployed, and its mappings are polled: ${names}`;
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
    await tasks.run();
    if (context.description === undefined) throw new Error('nothing was deployed');
    isUp = true;
    console.log(describeCloud(context.description, cloudFileOf(app.folder)));
  } catch (error) {
    // What goes wrong within a task the list has shown.
    if (!(error instanceof LocalCloudError)) console.error(error);
    else if (context.servers === undefined && stops.length === 0) console.error(`✖ ${error.message}`);
    await end(1);
  }

  async function consumersOptions(description: CloudDescription): Promise<ConsumersOptions> {
    const common: ConsumersOptions = {
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
      folder: app.folder,
      breakAtStart: options.inspectBrk ?? false,
      onLine: (line) => {
        print(consumer.name, line);
        context.session?.consumers.metrics.ingest(line);
      },
    });
    stops.push(() => inspected.stop());
    console.log(`Attach a debugger to ${inspected.debugger} (chrome://inspect, or your editor's "attach").`);
    return { ...common, invokerOf: ({ name }) => (name === consumer.name ? inspected : undefined) };
  }
}
