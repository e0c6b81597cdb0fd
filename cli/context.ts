import { styleText } from 'node:util';
import type { Command } from 'commander';
import { LockstepError } from '../shared/errors.ts';
import { awsTarget } from './aws-target.ts';
import { localTarget } from './local-target.ts';
import type { Target } from './target.ts';
import { visible, visibleData, visibleJson } from './visible.ts';

/** What every command takes. */
export interface CommonOptions {
  readonly local?: boolean;
  readonly stack?: readonly string[];
  readonly consumer?: string;
  readonly json?: boolean;
}

/**
 * How a command ended, for scripts, as git and aws have it. 0: done. 1: failed or refused, stopped before its end, or `status
 * --fail-if-stuck` found something. 2: the command line is wrong.
 */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

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

/** Prints `answer` as JSON, or what `text` makes of it. What is in it may come from anybody: nothing of it reaches the terminal raw. */
export function print<T>({ json }: CommonOptions, answer: T, text: (answer: T) => string): void {
  console.log(json ? visibleJson(answer) : text(visibleData(answer)));
}

/** What a command does, for people: a line that is not on standard output, where scripts read. */
export function say(text: string): void {
  console.error(visible(text));
}

/** The exit code that an error means; says it. */
export function failed(error: unknown, { json }: CommonOptions): number {
  const code = error instanceof LockstepError ? error.code : 'UNEXPECTED';
  const message = error instanceof Error ? error.message : String(error);
  if (json) console.log(visibleJson({ error: { code, message } }));
  const stack = error instanceof Error && code === 'UNEXPECTED' ? placesOf(error) : '';
  console.error(`${styleText('red', '✖', { stream: process.stderr })} ${visible(message)}${stack}`);
  return code === 'CONSUMER_UNKNOWN' || code === 'COMMAND_LINE_INVALID' ? EXIT.usage : EXIT.failed;
}

/** Of a stack only where it was: its first line repeats a message that may say anything. */
function placesOf({ stack = '' }: Error): string {
  const places = stack.split('\n').filter((line) => /^ {4}at /.test(line));
  return places.map((line) => `\n${visible(line)}`).join('');
}
