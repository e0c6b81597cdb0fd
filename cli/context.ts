import { styleText } from 'node:util';
import type { Command } from 'commander';
import { LocalCloudError } from '../infra/local/local-cloud-error.ts';
import { LockstepError } from '../shared/errors.ts';
import { awsTarget } from './aws-target.ts';
import { localTarget } from './local-target.ts';
import type { Target } from './target.ts';
import { visible, visibleData, visibleJson } from './visible.ts';

/** Options of every command. */
export interface CommonOptions {
  readonly local?: boolean;
  readonly stack?: readonly string[];
  readonly consumer?: string;
  readonly json?: boolean;
}

/**
 * Exit codes for scripts, as git and aws have them. 0: done. 1: failed, refused, stopped before the end, or `status
 * --fail-if-stuck` found a problem. 2: the command line is wrong.
 */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** The width of tables: they fit a terminal of 100 columns. */
export const WIDTH = 100;

/** Opens the target that `--local` or `--stack` names. */
export function openTarget(options: CommonOptions): Promise<Target> {
  return options.local ? localTarget() : awsTarget(options.stack ?? []);
}

/** Options of a command, with those of the program. */
export function optionsOf<O extends CommonOptions>(command: Command): O {
  return command.optsWithGlobals();
}

/**
 * Prints `answer` as JSON, or as the text that `text` makes of it. Its content may come from anybody, so nothing of it reaches
 * the terminal unescaped.
 */
export function print<T>({ json }: CommonOptions, answer: T, text: (answer: T) => string): void {
  console.log(json ? visibleJson(answer) : text(visibleData(answer)));
}

/** Says what a command does. It does not go to standard output, where scripts read. */
export function say(text: string): void {
  console.error(visible(text));
}

/** Prints an error, and returns its exit code. */
export function failed(error: unknown, { json }: CommonOptions): number {
  const code =
    error instanceof LockstepError ? error.code : error instanceof LocalCloudError ? 'LOCAL_CLOUD' : 'UNEXPECTED';
  const message = error instanceof Error ? error.message : String(error);
  if (json) console.log(visibleJson({ error: { code, message } }));
  const stack = error instanceof Error && code === 'UNEXPECTED' ? placesOf(error) : '';
  console.error(`${styleText('red', '✖', { stream: process.stderr })} ${visible(message)}${stack}`);
  return code === 'CONSUMER_UNKNOWN' || code === 'COMMAND_LINE_INVALID' ? EXIT.usage : EXIT.failed;
}

/** Only the places of a stack: its first line repeats the message, which may contain anything. */
function placesOf({ stack = '' }: Error): string {
  const places = stack.split('\n').filter((line) => /^ {4}at /.test(line));
  return places.map((line) => `\n${visible(line)}`).join('');
}
