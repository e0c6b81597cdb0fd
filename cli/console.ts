import { setFlagsFromString } from 'node:v8';
import { Command } from 'commander';
import { OperatorError } from '../shared/operator-errors.ts';
import { chosen } from './consumer.ts';
import { type CommonOptions, openTarget, optionsOf, print, say } from './context.ts';
import { example } from './example.ts';
import { wholeNumber } from './numbers.ts';

interface Options extends CommonOptions {
  readonly readOnly?: boolean;
  readonly values: boolean;
  readonly port: number;
}

export const consoleCommand = new Command('console')
  .description(
    'Opens a page on this machine: consumers, partitions, what blocks, dead letters, and the commands as buttons.',
  )
  .option('--read-only', 'show everything, change nothing')
  .option('--no-values', 'never show the value of a record')
  .option('--port <number>', 'the port on 127.0.0.1; 0 for any free one', wholeNumber(0, 65_535), 0)
  .addHelpText(
    'after',
    example('lockstep console --local', 'lockstep console --stack Lockstep-Orders-prod --read-only'),
  )
  .action(async (_, command: Command) => {
    const options = optionsOf<Options>(command);
    const { local = false, stack = [], readOnly = false, values, port, consumer } = options;
    if (!local && stack.length === 0) throw new OperatorError('COMMAND_LINE_INVALID', 'expected --local or --stack');
    // V8 collects garbage sooner: a hundred thousand letters that are read leave much of it.
    for (const flag of ['--max-semi-space-size=2', '--optimize-for-size']) setFlagsFromString(flag);
    // Other commands need no server.
    const { startConsole } = await import('../console/server.ts');
    const { address, stop } = await startConsole({
      open: async () => {
        const target = await openTarget(options);
        return { ...target, consumers: chosen(target.consumers, consumer) };
      },
      target: local ? '--local' : stack.map((name) => `--stack ${name}`).join(' '),
      local,
      readOnly,
      noValues: !values,
      port,
    });
    print(options, { address }, () => `The console is at ${address}`);
    say('The address is for you alone: whoever has it can do what your credentials can. Ctrl-C ends the console.');
    await interrupted();
    say('Stopping. A change that runs ends after its current step; Ctrl-C again ends at once.');
    await stop();
  });

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}
