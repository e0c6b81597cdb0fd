import { Command, Option } from 'commander';
import { cdkAppAround } from '../infra/local/dev/cdk-app.ts';
import { RESEND_READINGS, type ResendReading } from '../infra/local/event-source/decide.ts';
import { example } from './example.ts';
import { someText, wholeNumber } from './numbers.ts';

interface DevCommandOptions {
  readonly kafka?: string;
  readonly inspect?: string;
  readonly inspectBrk?: boolean;
  readonly partitions?: number;
  readonly pollers?: number;
  readonly resend?: ResendReading;
  readonly context: readonly string[];
  readonly app?: string;
  readonly verbose?: boolean;
}

const DOWNLOADS = `
The first run downloads Apache Kafka (54 MB, from Maven Central) and MiniStack (90 MB, from PyPI)
into the user's cache: $LOCKSTEP_CACHE, otherwise ~/.cache/lockstep, on macOS
~/Library/Caches/lockstep. It needs Java 17, Maven, Python 3.10 and OpenSSL. It sends nothing
to AWS.
`;

export const dev = new Command('dev')
  .description(
    'Runs the CDK app of this folder against a real Kafka and an emulated AWS on this machine, until Ctrl-C. Edited handlers run at once.',
  )
  .option('--kafka <servers>', 'use this broker, as host:port, instead of starting one', someText)
  .option('--partitions <count>', 'partitions of each new topic', wholeNumber(1))
  .option('--pollers <count>', 'pollers of each mapping', wholeNumber(1))
  .addOption(new Option('--resend <reading>', 'what partial answers bring back').choices([...RESEND_READINGS]))
  .option('--inspect <consumer>', 'run this consumer under the debugger, with breakpoints in its TypeScript', someText)
  .option('--inspect-brk', 'with --inspect: wait for the debugger before the first line')
  .option('-c, --context <name=value...>', 'further context for the app, as for cdk', [])
  .option('--app <command>', 'command of the app, as for cdk', someText)
  .option('--verbose', 'print each line of the functions as it is')
  .addHelpText('after', example('lockstep dev', 'lockstep dev --kafka 127.0.0.1:9092 --verbose'))
  .addHelpText('after', DOWNLOADS)
  .action(async (_, command: Command) => {
    const { kafka, context, app: appCommand, ...options } = command.opts<DevCommandOptions>();
    const app = cdkAppAround(process.cwd());
    // The local cloud is loaded only where it is used.
    const { runDev } = await import('../infra/local/dev/run-dev.ts');
    await runDev({
      ...options,
      app: { ...app, ...(appCommand !== undefined && { command: appCommand }) },
      ...(kafka !== undefined && { bootstrapServers: kafka }),
      openConsole: async () => (await import('../console/local-console.ts')).startLocalConsole(),
      context: () => Object.fromEntries(context.map((pair) => pair.split(/=(.*)/s).slice(0, 2))),
    });
  });
