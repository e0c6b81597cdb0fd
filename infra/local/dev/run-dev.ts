import {
  cloudFileOf,
  cloudProcess,
  removeCloudFile,
  type ServersDescription,
  writeCloudFile,
} from '../cloud-description.ts';
import { describeCloud } from '../describe-cloud.ts';
import type { ResendReading } from '../event-source/decide.ts';
import { LocalCloudError } from '../local-cloud-error.ts';
import type { CdkApp } from './cdk-app.ts';
import { personLine } from './person-line.ts';
import { startLocalCloud } from './start-local-cloud.ts';

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
  /** Runs this consumer under the debugger. */
  readonly inspect?: string;
  readonly inspectBrk?: boolean;
  /** Starts the console of what runs. */
  readonly openConsole: () => Promise<{ readonly address: string; stop(): Promise<void> }>;
  /** Called last, whatever happens. */
  readonly onEnd?: () => Promise<void>;
}

/** Exit codes of a shell for a program that a signal ended. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Runs a CDK app on a local cloud until Ctrl-C. Ends the process; nothing is left behind. */
export async function runDev(options: DevOptions): Promise<void> {
  const { app, verbose = false, resend, pollers, partitions, inspect, inspectBrk = false } = options;
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
  try {
    const other = await cloudProcess(app.folder);
    if (other !== undefined)
      throw new LocalCloudError(
        `The local cloud already runs this app, in process ${other}. Use it (lockstep status --local), or end it with Ctrl-C there.`,
      );
    stops.push(() => removeCloudFile(app.folder));
    const cloud = await startLocalCloud({
      app,
      bootstrapServers: options.bootstrapServers,
      ...(options.context && { context: options.context }),
      ...(partitions !== undefined && { partitions }),
      ...(inspect !== undefined && { inspect: { consumer: inspect, breakAtStart: inspectBrk } }),
      consumersOptions: { onLog: print, ...(resend && { resend }), ...(pollers !== undefined && { pollers }) },
      onDeployed: (description) => writeCloudFile(app.folder, description),
      say: (line) => console.log(line),
      onDeath: (server, lastWords) => {
        console.error(`✖ ${server} has ended by itself: ${lastWords}`);
        void end(1);
      },
    });
    stops.push(cloud.stop);
    const page = await options.openConsole();
    stops.push(page.stop);
    isUp = true;
    console.log(describeCloud(cloud.session.description, { file: cloudFileOf(app.folder), page: page.address }));
  } catch (error) {
    if (error instanceof LocalCloudError) console.error(`✖ ${error.message}`);
    else console.error(error);
    await end(1);
  }
}
