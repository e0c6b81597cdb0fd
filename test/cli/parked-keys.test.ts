import { expect, test } from 'vitest';
import { chosenKeys, type FoundKey } from '../../cli/parked-keys.ts';
import { parkedKeyOf } from '../../shared/record/item-identifier.ts';
import { progressOf } from '../fixtures/progress.ts';

/** Two keys whose bytes are no text look alike: only what they are parked under tells them apart. */
const KEYS = [Buffer.from([0xff]), Buffer.from([0xfe])].map(
  (key, index): FoundKey => ({
    place: { cluster: 'c', group: 'g', topic: 'stock', partition: 0, parkedKey: parkedKeyOf(key) },
    item: {
      epoch: 1,
      rev: 0,
      leaseUntil: 0,
      claims: [],
      progress: progressOf({}),
      key: key.toString('base64'),
      sequence: `sequence-${index}`,
      tail: 1,
      since: 0,
      behind: 'stock-0@1',
      fingerprint: 'f00d',
    },
  }),
);

test('one of two keys that are no text is chosen by what it is parked under', () => {
  expect(chosenKeys(KEYS, { sequence: 'sequence-1' })).toEqual([KEYS[1]]);
  expect(() => chosenKeys(KEYS, { sequence: 'sequence' })).toThrow('OPERATION_REFUSED: no such key is parked');
  expect(() => chosenKeys(KEYS, {})).toThrow('expected --key, --fingerprint, --sequence or --all');
});
