/** Runs as a separate process: measures all series and sends the results to its parent. */
import { invokeWith } from '../../shared/connection.ts';
import { parseKafkaEvent } from '../../shared/record/kafka-event.ts';
import { lambdaContext } from '../measure/lambda-context.ts';
import { connectionInMemory } from '../peers/lockstep/connection-in-memory.ts';
import { GROWTH, type GrowthCase } from './growth-series.ts';

/** One point of a series: CPU microseconds of one batch, of several. */
export interface GrowthPoint {
  readonly series: string;
  readonly x: number;
  readonly cpuMicros: readonly number[];
}

const WARM_UP = 20;
const [rounds = '15'] = process.argv.slice(2);
let invocations = 0;

for (const { at } of GROWTH) for (let turn = 0; turn < WARM_UP; turn++) await cpuOf(at(100));
for (const { name, xs, at } of GROWTH) {
  for (const x of xs) {
    const wanted = at(x);
    const cpuMicros: number[] = [];
    for (let turn = -3; turn < Number(rounds); turn++) {
      const cpu = await cpuOf(wanted);
      if (turn >= 0) cpuMicros.push(cpu);
    }
    process.send?.({ series: name, x, cpuMicros } satisfies GrowthPoint);
  }
}
process.disconnect();

/** CPU microseconds of one delivery, each with a ledger that has exactly the case's content. */
async function cpuOf({ handler, event, progress }: GrowthCase): Promise<number> {
  const connection = connectionInMemory(0);
  const { cluster, partitions } = parseKafkaEvent(event);
  for (const { topic, partition } of progress === undefined ? [] : partitions) {
    const place = { cluster, group: connection.ports.group, topic, partition };
    if (progress !== undefined) connection.place(place, { epoch: 1, rev: 1, leaseUntil: 0, claims: [], progress });
  }
  const context = lambdaContext(`request-${invocations++}`);
  const before = process.cpuUsage();
  await invokeWith(handler, connection, event, context);
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
