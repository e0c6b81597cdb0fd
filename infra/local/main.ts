/** `npm run local`: `lockstep dev` of this repository's own app. */
import { Command, Option } from 'commander';
import { startLocalConsole } from '../../console/local-console.ts';
import { startAcceptingService } from './accepting-service.ts';
import { runDev } from './dev/run-dev.ts';
import { RESEND_READINGS, type ResendReading } from './event-source/decide.ts';
import { OWN_APP, stageContext } from './own-app.ts';

interface Options {
  readonly inspect?: string;
  readonly inspectBrk?: boolean;
  readonly resend?: ResendReading;
  readonly pollers?: number;
  readonly partitions?: number;
  readonly stage: string;
  readonly app?: string;
  readonly context: readonly string[];
  readonly verbose?: boolean;
}

const program = new Command('npm run local --')
  .description(
    'Starts Kafka and an emulated AWS, deploys the stacks with cdk, polls the mappings, and stays until Ctrl-C.',
  )
  .option('--inspect <consumer>', 'run this consumer under the debugger, with breakpoints in its TypeScript')
  .option('--inspect-brk', 'with --inspect: wait for the debugger before the first line')
  .addOption(new Option('--resend <reading>', 'what partial answers bring back').choices([...RESEND_READINGS]))
  .option('--pollers <count>', 'pollers of each mapping', Number)
  .option('--partitions <count>', 'partitions of each topic', Number)
  .option('--stage <name>', 'stage to deploy', 'local')
  .option('--app <command>', 'command of another CDK app')
  .option('-c, --context <name=value...>', 'further context for cdk', [])
  .option('--verbose', 'print the lines of functions as they are');

const { app: command, stage, context, ...options } = program.parse().opts<Options>();
// The stage's own payments are charged somewhere: without it every payment would wait.
const payments = await startAcceptingService();
await runDev({
  ...options,
  app: { ...OWN_APP, ...(command !== undefined && { command }) },
  context: (servers) => ({
    ...stageContext(servers),
    stage,
    paymentApiUrl: payments.url,
    ...Object.fromEntries(context.map((pair) => pair.split(/=(.*)/s).slice(0, 2))),
  }),
  openConsole: startLocalConsole,
  onEnd: payments.stop,
});
