import { OperatorError } from '../shared/operator-errors.ts';
import {
  type Position,
  parsePartitionName,
  parsePositionName,
  partitionName,
  positionName,
  type TopicPartition,
} from '../shared/record/item-identifier.ts';

/** A partition as an argument names it. @throws LockstepError COMMAND_LINE_INVALID */
export function partitionNamed(text: string): TopicPartition {
  const place = parsePartitionName(text);
  // `orders-03`, or a number with too many digits, would be read as another partition than the one that was written.
  if (place !== undefined && partitionName(place) === text) return place;
  throw new OperatorError('COMMAND_LINE_INVALID', `expected a partition such as orders-3, got \`${text}\``);
}

/** A record as an argument names it. @throws LockstepError COMMAND_LINE_INVALID */
export function recordNamed(text: string): Position {
  const position = parsePositionName(text);
  if (position !== undefined && Number.isSafeInteger(position.offset) && positionName(position) === text)
    return position;
  throw new OperatorError('COMMAND_LINE_INVALID', `expected a record such as orders-3@1042, got \`${text}\``);
}

/** A partition and a range of its offsets, both ends included. @throws LockstepError COMMAND_LINE_INVALID */
export function spanNamed(text: string): TopicPartition & { readonly fromOffset: number; readonly toOffset: number } {
  const at = text.lastIndexOf('@');
  const [first = '', last = first, ...more] = text.slice(at + 1).split('-');
  const found = [first, last].map((digits) => (/^(0|[1-9]\d*)$/.test(digits) ? Number(digits) : Number.NaN));
  const [fromOffset = Number.NaN, toOffset = Number.NaN] = found;
  if (at < 0 || more.length > 0 || !found.every(Number.isSafeInteger) || fromOffset > toOffset)
    throw new OperatorError('COMMAND_LINE_INVALID', `expected a range such as orders-3@1042-1060, got \`${text}\``);
  return { ...partitionNamed(text.slice(0, at)), fromOffset, toOffset };
}
