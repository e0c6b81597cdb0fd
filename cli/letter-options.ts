import type { Command } from 'commander';
import type { LockstepError } from '../shared/errors.ts';
import type { OperatorRequest } from '../shared/operator/requests.ts';
import { OperatorError } from '../shared/operator-errors.ts';
import { timeOf } from './words.ts';

/** What narrows letters down. */
export interface LetterOptions {
  readonly fingerprint?: string;
  readonly since?: string;
  readonly until?: string;
  readonly key?: string;
  readonly partition?: string;
  readonly offsets?: string;
  readonly error?: string;
  readonly id?: string;
}

type Filter = Extract<OperatorRequest, { readonly type: 'groups' }>['filter'];

/** Adds the options that narrow letters down. */
export function withLetterOptions(command: Command): Command {
  return command
    .option('--fingerprint <text>', 'of the error, or how it begins')
    .option('--error <name>', 'name of the error')
    .option('--since <time>', 'dead-lettered since: 15min, 2h, 7d ago, or ISO 8601')
    .option('--until <time>', 'dead-lettered before')
    .option('--key <text>', 'key of the record')
    .option('--partition <number>', 'partition that the record came from')
    .option('--offsets <from-to>', 'offsets there, both included')
    .option('--id <id>', 'x-dead-letter-id of one letter');
}

/** @throws LockstepError OPERATOR_REQUEST_INVALID naming the option */
export function filterOf(options: LetterOptions, now: number): Filter {
  const { fingerprint, key, partition, error, id } = options;
  const since = time('since', options.since, now);
  const until = time('until', options.until, now);
  return {
    ...(fingerprint !== undefined && { fingerprint }),
    ...(error !== undefined && { errorName: error }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(key !== undefined && { key }),
    ...(partition !== undefined && { partition: wholeNumber('partition', partition) }),
    ...(options.offsets !== undefined && span(options.offsets)),
    ...(id !== undefined && { id }),
  };
}

/** Reads `10-20`, or `10` for one offset. @throws LockstepError OPERATOR_REQUEST_INVALID */
export function span(text: string): { readonly fromOffset: number; readonly toOffset: number } {
  const found = /^(\d+)(?:-(\d+))?$/.exec(text);
  if (found === null) throw invalid('offsets', text, 'a span as 1042-1060');
  return { fromOffset: Number(found[1]), toOffset: Number(found[2] ?? found[1]) };
}

/** @throws LockstepError OPERATOR_REQUEST_INVALID */
export function wholeNumber(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw invalid(name, text, 'a whole number');
  return Number(text);
}

function time(name: string, text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const found = timeOf(text, now);
  if (found === undefined) throw invalid(name, text, 'a time as 15min, 2h, 7d, or 2026-11-21T10:00:00Z');
  return found;
}

function invalid(name: string, text: string, expected: string): LockstepError {
  return new OperatorError('OPERATOR_REQUEST_INVALID', `expected --${name} to be ${expected}, got \`${text}\``);
}
