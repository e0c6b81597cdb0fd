import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { kafkaJsHeaders } from '../../../shared/adapters/kafka/kafkajs-headers.ts';
import { headerBytes, recordBytes } from '../../../shared/decide/record-size.ts';

interface Encoded {
  size(): number;
}

const require = createRequire(import.meta.url);
const encodeRecord: (record: object) => Encoded = require('kafkajs/src/protocol/recordBatch/record/v0/index.js');
const {
  RecordBatch,
}: { RecordBatch: (batch: object) => Promise<Encoded> } = require('kafkajs/src/protocol/recordBatch/v0/index.js');

const bytes = fc.oneof(fc.constantFrom(0, 63, 64, 8_191, 8_192, 1_048_575, 1_048_576), fc.nat({ max: 20_000 }));

test('a record of nothing is its format at its largest, a key and a value of no length', () => {
  expect(recordBytes({ key: null, value: null, headers: [] })).toBe(89);
});

test.each([
  [0, 1],
  [63, 1],
  [64, 2],
  [8_191, 2],
  [8_192, 3],
  [1_048_575, 3],
  [1_048_576, 4],
])('a length of %d takes %d bytes', (length, bytes) => {
  expect(recordBytes({ key: Buffer.alloc(length), value: null, headers: [] })).toBe(88 + bytes + length);
  expect(headerBytes([{ name: 'é', value: Buffer.alloc(length) }])).toBe(3 + bytes + length);
});

test('the size of a record is what an encoder makes of it as a batch of its own, 21 bytes more at most, never less', async () => {
  const record = fc.record({
    key: fc.option(bytes.map((length) => Buffer.alloc(length))),
    value: fc.option(bytes.map((length) => Buffer.alloc(length))),
    headers: fc.array(
      fc.record({ name: fc.string({ unit: 'grapheme' }), value: bytes.map((length) => Buffer.alloc(length)) }),
      {
        maxLength: 4,
      },
    ),
  });

  await fc.assert(
    fc.asyncProperty(record, async ({ key, value, headers }) => {
      const encoded = encodeRecord({ key, value, headers: kafkaJsHeaders(headers) });
      const batch = await RecordBatch({
        records: [encoded],
        firstTimestamp: '1',
        maxTimestamp: '1',
        lastOffsetDelta: 0,
      });

      const over = recordBytes({ key, value, headers }) - batch.size();

      expect(over).toBeGreaterThanOrEqual(0);
      expect(over).toBeLessThanOrEqual(21);
    }),
    { numRuns: 40 },
  );
});
