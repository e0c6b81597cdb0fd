import { type Command, InvalidArgumentError } from 'commander';
import type { OperatorRequest } from '../shared/operator/requests.ts';
import { OperatorError } from '../shared/operator-errors.ts';
import { someText, wholeNumber } from './numbers.ts';
import { timeOf } from './words.ts';

/** Options that filter dead letters. */
export interface LetterOptions {
  readonly fingerprint?: string;
  readonly since?: number;
  readonly until?: number;
  readonly key?: string;
  readonly partition?: number;
  readonly offsets?: Span;
  readonly error?: string;
  readonly id?: string;
}

interface Span {
  readonly fromOffset: number;
  readonly toOffset: number;
}

type Filter = Extract<OperatorRequest, { readonly type: 'groups' }>['filter'];

const offset = wholeNumber(0);

/** Adds the options that filter dead letters. Empty texts are refused: they most likely come from an unset variable. */
export function withLetterOptions(command: Command): Command {
  return command
    .option('--fingerprint <text>', 'fingerprint of the error, or its beginning', someText)
    .option('--error <name>', 'name of the error', someText)
    .option('--since <time>', 'dead-lettered since: 15min, 2h or 7d ago, or an ISO 8601 time', time)
    .option('--until <time>', 'dead-lettered before this time', time)
    .option('--key <text>', 'key of the record')
    .option('--partition <number>', 'partition of the source topic', wholeNumber(0, 2 ** 31 - 1))
    .option('--offsets <from-to>', 'with --partition: first and last offset', span)
    .option('--id <id>', 'x-dead-letter-id of one dead letter', someText);
}

/** @throws LockstepError COMMAND_LINE_INVALID naming the option */
export function filterOf(options: LetterOptions): Filter {
  const { fingerprint, key, partition, error, id, since, until, offsets } = options;
  if (offsets !== undefined && partition === undefined)
    throw new OperatorError(
      'COMMAND_LINE_INVALID',
      'expected --partition together with --offsets: each partition has its own offsets',
    );
  if (since !== undefined && until !== undefined && since >= until)
    throw new OperatorError('COMMAND_LINE_INVALID', 'expected --since to be before --until');
  return {
    ...(fingerprint !== undefined && { fingerprint }),
    ...(error !== undefined && { errorName: error }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(key !== undefined && { key }),
    ...(partition !== undefined && { partition }),
    ...offsets,
    ...(id !== undefined && { id }),
  };
}

/** Whether nothing is narrowed down: all letters are meant. */
export function isAll(options: LetterOptions): boolean {
  return Object.keys(filterOf(options)).length === 0;
}

/** Reads `10-20`, or `10` for one offset. */
function span(text: string): Span {
  const [first = '', last = first, ...more] = text.split('-');
  const found = { fromOffset: offset(first), toOffset: offset(last) };
  if (more.length === 0 && found.fromOffset <= found.toOffset) return found;
  throw new InvalidArgumentError('Expected a range such as 1042-1060.');
}

function time(text: string): number {
  const found = timeOf(text, Date.now());
  if (found !== undefined) return found;
  throw new InvalidArgumentError('Expected a time as 15min, 2h, 7d, or 2026-11-21T10:00:00Z.');
}
