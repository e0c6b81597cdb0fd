/**
 * One partition, 10,000 records of 1,000 keys, a handler that takes 5 ms: key order with 16 records side by side against
 * partition order, in one run, by the real runtime over a ledger in memory and the real clock. Order per key is verified.
 * Then the same with one key that fails for ever. `npm run bench:key-order`
 */
import { cpus } from 'node:os';
import Table from 'cli-table3';
import { type KeyOrderRun, runKeyOrder } from './key-order-run.ts';

const RECORDS = 10_000;
const KEYS = 1_000;
const HANDLER_MS = 5;
const CONCURRENCY = 16;
const WANTED_RATIO = 10;

const common = { records: RECORDS, keys: KEYS, handlerMs: HANDLER_MS, concurrency: CONCURRENCY };
const partition = await runKeyOrder({ ...common, order: 'partition' });
const key = await runKeyOrder({ ...common, order: 'key' });
const failing = await runKeyOrder({ ...common, order: 'key', failingKey: 'key-7' });

const table = new Table({
  head: ['run', 'seconds', 'records/s', 'order per key', 'letters', 'deliveries'],
  style: { head: [] },
});
const row = (name: string, run: KeyOrderRun) =>
  table.push([
    name,
    (run.elapsedMs / 1_000).toFixed(2),
    Math.round((RECORDS / run.elapsedMs) * 1_000),
    run.disorder === undefined ? 'kept' : `BROKEN: ${run.disorder}`,
    run.letters.length,
    run.deliveries,
  ]);
row('partition order', partition);
row(`key order, ${CONCURRENCY} side by side`, key);
row('key order, one key fails for ever', failing);
const ratio = partition.elapsedMs / key.elapsedMs;

console.log(
  `${RECORDS} records, ${KEYS} keys, handler ${HANDLER_MS} ms, one partition; ${cpus()[0]?.model}, Node ${process.version}`,
);
console.log(table.toString());
console.log(`key order is ${ratio.toFixed(1)} times as fast as partition order (wanted: at least ${WANTED_RATIO})`);
console.log(
  `key-7: ${failing.letters.length} letters, in order; all other keys of its batch done before it was given up: ${failing.othersFirst}; a follower started before its letter was acknowledged: ${failing.followerTooEarly}`,
);

const wrong = [
  ...[partition, key, failing].flatMap(({ disorder }) => disorder ?? []),
  ...(ratio < WANTED_RATIO ? [`only ${ratio.toFixed(1)} times as fast`] : []),
  ...(failing.letters.length === RECORDS / KEYS ? [] : [`${failing.letters.length} letters`]),
  ...(failing.handled === RECORDS - RECORDS / KEYS ? [] : [`${failing.handled} handled`]),
  ...(failing.othersFirst ? [] : ['the failing key was given up before others had finished']),
  ...(failing.followerTooEarly ? ['a follower started before its letter'] : []),
];
if (wrong.length > 0) {
  console.error(wrong.join('\n'));
  process.exitCode = 1;
}
