import { CommanderError } from 'commander';
import { EXIT, failed } from './context.ts';
import { lockstep } from './program.ts';

/** Runs a command line to its end. @returns its exit code */
export async function run(args: readonly string[]): Promise<number> {
  const program = lockstep();
  process.exitCode = EXIT.done;
  try {
    await program.parseAsync(args, { from: 'user' });
    return Number(process.exitCode);
  } catch (error) {
    // commander has already printed what is wrong with the command line.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    return failed(error, program.opts());
  }
}
