import { styleText } from 'node:util';
import type { Command } from 'commander';
import { LockstepError } from '../shared/errors.ts';
import { awsTarget } from './aws-target.ts';
import { localTarget } from './local-target.ts';
import type { Target } from './target.ts';

/** What every command takes. */
export interface CommonOptions {
  readonly local?: boolean;
  readonly stack?: readonly string[];
  readonly consumer?: string;
  readonly json?: boolean;
}

/**
 * How a command ended, for scripts. 0: done. 1: failed. 2: the command line is wrong. 3: refused, nothing was changed.
 * 4: stopped before its end; the same command goes on. 5: `status` found something stuck and was asked to say so.
 */
export const EXIT = { done: 0, failed: 1, usage: 2, refused: 3, unfinished: 4, stuck: 5 } as const;

/** Columns of the tables: they fit a terminal of a hundred. */
export const WIDTH = 100;

/** Opens what `--local` or `--stack` name. */
export function openTarget(options: CommonOptions): Promise<Target> {
  return options.local ? localTarget() : awsTarget(options.stack ?? []);
}

/** Options of a command with those of the program. */
export function optionsOf<O extends CommonOptions>(command: Command): O {
  return command.optsWithGlobals();
}

/** Prints `answer` as JSON, or what `text` makes of it. */
export function print<T>({ json }: CommonOptions, answer: T, text: (answer: T) => string): void {
  console.log(json ? JSON.stringify(answer) : text(answer));
}

/** What a command does, for people: not on standard output, where scripts read. */
export function say(text: string): void {
  console.error(text);
}

/** The exit code that an error means; says it. */
export function failed(error: unknown, { json }: CommonOptions): number {
  const code = error instanceof LockstepError ? error.code : 'UNEXPECTED';
  const message =
    error instanceof LockstepError
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
  if (json) console.log(JSON.stringify({ error: { code, message } }));
  say(`${styleText('red', '✖', { stream: process.stderr })} ${message}`);
  switch (code) {
    case 'PARTITION_HELD':
    case 'OPERATION_REFUSED':
      return EXIT.refused;
    case 'CONSUMER_UNKNOWN':
    case 'CLOUD_UNKNOWN':
      return EXIT.usage;
    default:
      return EXIT.failed;
  }
}
