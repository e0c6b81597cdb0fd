import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { present } from '../../../../shared/adapters/dynamodb/ledger-attributes.ts';
import { decodePartitionItem, encodeClaim, encodeProgress } from '../../../../shared/adapters/dynamodb/ledger-item.ts';
import type { BlockedRecord, Progress } from '../../../../shared/decide/progress.ts';
import { FRESH_PROGRESS } from '../../../../shared/decide/progress.ts';
import { MAX_CLAIMS } from '../../../../shared/ports/ledger-store.ts';
import { lowest, type OffsetRanges, rangesOf } from '../../../../shared/record/offset-ranges.ts';
import { FULL_PROGRESS } from '../../../contracts/full-progress.ts';
import { itemBytes } from '../../../fixtures/item-bytes.ts';
import { itemFixture } from '../../../fixtures/item-fixture.ts';
import { blockedRecordAt } from '../../../fixtures/progress.ts';

const PK = 'partition#c0ffee00-1111-2222-3333-444455556666-3#billing#orders#3';

function itemWith(attributes: Record<string, AttributeValue>): Record<string, AttributeValue> {
  const common = {
    pk: { S: PK },
    v: { N: '2' },
    epoch: { N: '7' },
    rev: { N: '40' },
    leaseUntil: { N: '1795251615000' },
  };
  return { ...common, ...attributes };
}

describe('items that version 1 wrote', () => {
  test('a claimed partition', async () => {
    expect(decodePartitionItem(await itemFixture('v2-claimed'))).toStrictEqual({
      epoch: 1,
      rev: 1,
      owner: 'inv-a',
      leaseUntil: 1_795_251_615_000,
      claims: [
        {
          owner: 'inv-a',
          offsets: [
            { from: 10, to: 19 },
            { from: 21, to: 21 },
          ],
        },
      ],
      progress: FRESH_PROGRESS,
    });
  });

  test('a partition claimed after an invocation died', async () => {
    const { claims, epoch, owner } = decodePartitionItem(await itemFixture('v2-claimed-after-a-death'));

    expect({ claims, epoch, owner }).toStrictEqual({
      epoch: 2,
      owner: 'inv-b',
      claims: [
        {
          owner: 'inv-a',
          offsets: [
            { from: 10, to: 19 },
            { from: 21, to: 21 },
          ],
        },
        {
          owner: 'inv-b',
          offsets: [
            { from: 10, to: 19 },
            { from: 21, to: 21 },
          ],
        },
      ],
    });
  });

  test('a released partition', async () => {
    expect(decodePartitionItem(await itemFixture('v2-released'))).toStrictEqual({
      epoch: 1,
      rev: 2,
      leaseUntil: 1_795_251_615_000,
      claims: [],
      progress: FRESH_PROGRESS,
    });
  });

  test('every field of the progress', async () => {
    expect(decodePartitionItem(await itemFixture('v2-every-field'))).toStrictEqual({
      epoch: 1,
      rev: 2,
      owner: 'inv-a',
      leaseUntil: 1_795_251_615_000,
      claims: [{ owner: 'inv-a', offsets: [{ from: 15, to: 19 }] }],
      progress: FULL_PROGRESS,
    });
  });

  test('64 first records', async () => {
    const { firstRecords } = decodePartitionItem(await itemFixture('v2-typical')).progress;

    expect(firstRecords).toHaveLength(64);
    expect(firstRecords[0]).toStrictEqual({
      offset: 1_000_000,
      timestamp: 1_795_251_536_000,
      valueHash: '47DEQpj8HBS',
    });
    expect(firstRecords[63]).toStrictEqual({
      offset: 1_006_300,
      timestamp: 1_795_251_599_031,
      valueHash: '47DEQpj8HBS',
    });
  });
});

test('is written the way the fixtures were', async () => {
  expect(present(encodeProgress(FULL_PROGRESS))).toEqual(
    expect.objectContaining({ blockedRecords: (await itemFixture('v2-every-field'))['blockedRecords'] }),
  );
  const { pk, v, epoch, rev, owner, leaseUntil, claims, ...progress } = await itemFixture('v2-every-field');
  expect(present(encodeProgress(FULL_PROGRESS))).toStrictEqual(progress);
  expect([v, claims]).toEqual([{ N: '2' }, { L: [encodeClaim({ owner: 'inv-a', offsets: [{ from: 15, to: 19 }] })] }]);
});

test('a flood breaker that never opens is kept', () => {
  const progress = { ...FRESH_PROGRESS, maxConsecutiveDeadLetters: Number.POSITIVE_INFINITY };
  expect(decodePartitionItem(itemWith(present(encodeProgress(progress)))).progress).toStrictEqual(progress);
});

describe('a record whose producer gave it nanoseconds for milliseconds', () => {
  const timestamp = 1_795_251_615_123 * 1e6;

  test('leaves progress that is read back', () => {
    const progress = {
      ...FRESH_PROGRESS,
      newestTimestamp: timestamp,
      blockedRecords: new Map([[7, blockedRecordAt(7, { timestamp })]]),
    };

    expect(decodePartitionItem(itemWith(present(encodeProgress(progress)))).progress).toStrictEqual(progress);
  });

  test('is not remembered with its claim: no other record may be taken for it, nor it for another', () => {
    const claim = { owner: 'inv-a', offsets: [{ from: 7, to: 9 }] };
    const first = { offset: 7, timestamp, valueHash: '47DEQpj8' };

    expect(decodePartitionItem(itemWith({ claims: { L: [encodeClaim({ ...claim, first })] } })).claims).toEqual([
      claim,
    ]);
  });
});

test('an item that is as full as it gets stays below the 400 KB of DynamoDB', () => {
  // A thousand offsets apart: as sparse as compaction leaves a topic of which one record in a thousand is kept.
  const scattered = (count: number, from = 0) =>
    Array.from({ length: count }, (_, index) => ({ from: from + index * 1_000, to: from + index * 1_000 }));
  const error = { name: 'n'.repeat(128), text: 't'.repeat(512), stage: 'handler' } as const;
  const blocked = (offset: number): BlockedRecord => ({
    ...blockedRecordAt(offset, { attempts: 5, interruptions: 3, exhausted: true }),
    ...{ timestamp: 1_795_251_599_999, valueHash: 'J47DEQpj8', keyHash: '47DEQpj8', fingerprint: 'a1b2c3d4e5f6' },
    ...{ firstFailedAt: 1_795_251_599_999, notBefore: 1_795_251_599_999, error },
  });
  const far = 5_000_000_000;
  const progress: Progress = {
    ...FULL_PROGRESS,
    settled: scattered(1_100, far + 20_000_000),
    // With what one more batch delivers of it.
    pending: scattered(22_000, far),
    replayRefused: scattered(1_000),
    abandoned: scattered(1_000),
    firstRecords: scattered(64, far).map(({ from }) => ({
      ...{ offset: from, timestamp: 1_795_251_599_999, valueHash: 'J47DEQpj8' },
    })),
    // A batch of 16 that fail side by side while there is room for one.
    blockedRecords: new Map(scattered(216, far).map(({ from }) => [from, blocked(from)])),
  };
  const claim = { owner: 'c0ffee00-1111-2222-3333-444455556666.0', offsets: scattered(10_000, far) };

  const claimed = itemWith({
    ...present(encodeProgress({ ...progress, pending: scattered(12_000, far) })),
    claims: { L: Array.from({ length: MAX_CLAIMS }, () => encodeClaim(claim)) },
  });
  const written = itemWith({ ...present(encodeProgress(progress)), claims: { L: [encodeClaim(claim)] } });

  expect(itemBytes(claimed)).toBeLessThan(409_600);
  expect(itemBytes(written)).toBeLessThan(409_600);
});

test('has no attribute for what is empty, zero or absent', () => {
  expect(present(encodeProgress({ ...FRESH_PROGRESS, oneRecordPerCall: false }))).toEqual({});
});

describe('size as DynamoDB bills it', () => {
  test('a typical item released: contiguous settled, 64 first records of batches of 100, no blocked records', async () => {
    expect(itemBytes(await itemFixture('v2-typical'))).toBe(923);
  });

  test('the same while it is claimed, under an owner of 22 characters, stays within one KB', async () => {
    const owner = 'Jq0xW6t2Zb8kP4mN1vR7yA';
    const first = { offset: 1_006_400, timestamp: 1_795_251_600_000, valueHash: 'hW3kPq0z' };
    const claim = encodeClaim({ owner, offsets: [{ from: 1_006_400, to: 1_006_499 }], first });

    const claimed = { ...(await itemFixture('v2-typical')), owner: { S: owner }, claims: { L: [claim] } };

    expect(itemBytes(claimed)).toBe(1_008);
    const { breaker = { S: '' } } = present(
      encodeProgress({ ...FRESH_PROGRESS, maxConsecutiveDeadLetters: Number.POSITIVE_INFINITY }),
    );
    expect(itemBytes({ ...claimed, breaker })).toBe(1_015);
  });
});

const offset = fc.nat({ max: 2 ** 45 });
const time = fc.integer({ min: -1, max: 4_102_444_800_000 });
const hash = fc.stringMatching(/^[\w-]{0,24}$/);
const rangesArbitrary: fc.Arbitrary<OffsetRanges> = fc
  .uniqueArray(offset, { maxLength: 20 })
  .map((offsets) => rangesOf(offsets.toSorted((a, b) => a - b)));
const identity = fc.record({ offset, timestamp: time, valueHash: hash });
const blocked: fc.Arbitrary<BlockedRecord> = fc
  .record(
    {
      timestamp: time,
      valueHash: hash,
      keyHash: fc.string(),
      attempts: fc.nat(),
      interruptions: fc.nat(),
      exhausted: fc.boolean(),
      firstFailedAt: time,
      notBefore: time,
      fingerprint: fc.string(),
      error: fc.record({ name: fc.string(), text: fc.string(), stage: fc.constantFrom('decode', 'handler') }),
    },
    { requiredKeys: ['timestamp', 'valueHash', 'attempts', 'interruptions', 'exhausted'] },
  )
  .map((fields) => ({ offset: 0, ...fields }) as BlockedRecord);
const progressArbitrary = fc
  .record(
    {
      settled: rangesArbitrary,
      pending: rangesArbitrary,
      replayRefused: rangesArbitrary,
      floor: offset,
      firstRecords: fc
        .uniqueArray(identity, { selector: (mark) => mark.offset, maxLength: 64 })
        .map((firstRecords) => firstRecords.toSorted((a, b) => a.offset - b.offset)),
      abandoned: rangesArbitrary.filter((ranges) => ranges.length > 0),
      newestTimestamp: time,
      newestRefused: time,
      blockedRecords: fc
        .uniqueArray(fc.tuple(offset, blocked), { selector: ([at]) => at, maxLength: 5 })
        .map((blockedRecords) => new Map(blockedRecords.map(([at, value]) => [at, { ...value, offset: at }]))),
      missingRecord: fc.record({ offset, since: time, laterBatches: fc.nat() }),
      skipBelow: offset,
      runBelow: offset,
      isolateUntil: offset,
      running: identity,
      pausedUntil: time,
      consecutiveDeadLetters: fc.nat(),
      oneRecordPerCall: fc.constant(true),
    },
    {
      requiredKeys: ['settled', 'pending', 'replayRefused', 'firstRecords', 'blockedRecords', 'consecutiveDeadLetters'],
    },
  )
  .map((fields) => fields as Progress);

test('reads back whatever progress it wrote', () => {
  fc.assert(
    fc.property(progressArbitrary, (progress) => {
      const item = itemWith(present(encodeProgress(progress)));

      expect(decodePartitionItem(item).progress).toEqual(progress);
    }),
  );
});

test('reads back whatever claim it wrote', () => {
  fc.assert(
    fc.property(fc.string(), rangesArbitrary, fc.option(identity), (owner, offsets, drawn) => {
      const offset = lowest(offsets);
      const first = drawn === null || offset === undefined ? undefined : { ...drawn, offset };
      const claim = { owner, offsets, ...(first !== undefined && { first }) };
      const item = itemWith({ claims: { L: [encodeClaim(claim)] } });

      expect(decodePartitionItem(item).claims).toEqual([claim]);
    }),
  );
});

describe('an item that cannot be read', () => {
  test.each<[string, Record<string, AttributeValue>, string]>([
    ['of a newer version', { v: { N: '4' } }, 'has format version {"N":"4"}, this code reads 2 and 3'],
    ['of version 1', { v: { N: '1' } }, 'has format version {"N":"1"}, this code reads 2 and 3'],
    ['of version 0', { v: { N: '0' } }, 'has format version {"N":"0"}, this code reads 2 and 3'],
    ['with a version of another type', { v: { S: 'one' } }, 'has format version {"S":"one"}, this code reads 2 and 3'],
    ['without an epoch', { epoch: { S: '7' } }, 'expected attribute epoch to be an integer, got {"S":"7"}'],
    ['with a broken epoch', { epoch: { N: '7.5' } }, 'expected attribute epoch to be an integer, got {"N":"7.5"}'],
    ['with broken ranges', { settled: { S: 'a+' } }, '"a+" is not an encoded offset range'],
    [
      'with ranges of another type',
      { pending: { N: '1' } },
      'expected attribute pending to be a string, got {"N":"1"}',
    ],
    [
      'with cut first records',
      { firstRecords: { B: Uint8Array.of(11, 10, 128) } },
      'the first records end in the middle of a number',
    ],
    [
      'with a cut hash',
      { firstRecords: { B: Uint8Array.of(11, 10, 2, 7, 7) } },
      'the first records end in the middle of a hash',
    ],
    ['with a broken claim', { claims: { L: [{ S: 'a+4' }] } }, '{"S":"a+4"} is not an entry of claims'],
    [
      'with a missing record without a time',
      { missingRecord: { M: { offset: { N: '1' } } } },
      'expected attribute since to be an integer',
    ],
    [
      'with blocked records that are no map',
      { blockedRecords: { L: [] } },
      'expected attribute blockedRecords to be a map, got {"L":[]}',
    ],
    [
      'with an unknown stage',
      { blockedRecords: { M: { 1: { M: { ts: { N: '1' }, hash: { S: '' }, err: { M: { stage: { S: 'x' } } } } } } } },
      'expected the stage of an error to be one of decode,validate,idempotency,handler,interrupted,unattempted,parked, got x',
    ],
  ])('%s is named, with what is wrong', (_, attributes, what) => {
    const decode = () => decodePartitionItem(itemWith(attributes));

    expect(decode).toThrow(
      expect.objectContaining({ code: 'LEDGER_ITEM_UNREADABLE', retryable: false, transient: false }),
    );
    expect(decode).toThrow(PK);
    expect(decode).toThrow(what);
  });

  test('without a version is named', () => {
    const { v, ...item } = itemWith({});

    expect(() => decodePartitionItem(item)).toThrow('has format version none, this code reads 2');
  });
});

test('reads back every time that an event may give a record', () => {
  for (const timestamp of [0, -1, 1_795_251_600_000, Number.MAX_SAFE_INTEGER, 2 ** 63, -(2 ** 63)]) {
    const progress = { ...FRESH_PROGRESS, newestTimestamp: timestamp };
    expect(decodePartitionItem(itemWith(present(encodeProgress(progress)))).progress).toEqual(progress);
  }
});
