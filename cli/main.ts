#!/usr/bin/env node
import { CommanderError } from 'commander';
import { EXIT, failed } from './context.ts';
import { lockstep } from './program.ts';

const program = lockstep();
try {
  await program.parseAsync();
} catch (error) {
  // What is wrong with the command line commander has said already.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
  else process.exitCode = failed(error, program.opts());
}
