/** A process for one consumer: the parent requests rounds, and the process answers with their cost. */
import type { KafkaEvent } from '../../shared/record/kafka-event.ts';
import type { BatchAnswer } from '../peers/common/batch-answer.ts';
import type { InMemoryConsumer, Peer } from '../peers/common/peer.ts';
import { lambdaContext } from './lambda-context.ts';
import { ordersEvent } from './orders-event.ts';
import type { Round, RoundResult } from './round.ts';

type Handler = InMemoryConsumer['handler'];

const [name = ''] = process.argv.slice(2);
const inPeers = (file: string) => new URL(`../peers/${name}/${file}`, import.meta.url).href;
const consumers = new Map<string, InMemoryConsumer>();
let batch = 0;
let invocation = 0;

process.on('message', async (round: Round) => {
  try {
    process.send?.(await run(round));
  } catch (error) {
    process.send?.({ error: error instanceof Error ? error.stack : String(error) });
  }
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');

async function run(round: Round): Promise<RoundResult> {
  const { shape, batches, allocation } = round;
  const { handler, forget } = await consumerOf(round);
  const total = { records: 0, cpuMicros: 0, wallMs: 0, allocatedBytes: 0, reported: 0 };
  const events: KafkaEvent[] = [];
  for (let index = 0; index < batches; index++) events.push(ordersEvent(shape, batch++, round.topic));
  for (const event of events) {
    // A halted partition would stay halted, so each failing batch gets an empty store.
    if (shape.kind === 'failing') forget();
    if (shape.kind === 'duplicates') await handler(event, lambdaContext(`request-${invocation++}`));
    const context = lambdaContext(`request-${invocation++}`);
    if (allocation) global.gc?.();
    const heapBefore = allocated();
    const cpuBefore = process.cpuUsage();
    const startedAt = performance.now();
    const answer: BatchAnswer = await handler(event, context);
    total.wallMs += performance.now() - startedAt;
    const { user, system } = process.cpuUsage(cpuBefore);
    total.cpuMicros += user + system;
    if (allocation) total.allocatedBytes += allocated() - heapBefore;
    total.records += shape.records;
    total.reported += answer.batchItemFailures.length;
  }
  forget();
  if (name !== 'bare' && total.reported > 0 !== (shape.kind === 'failing'))
    throw new Error(`${total.reported} of ${total.records} ${shape.kind} records were reported back`);
  return total;
}

function allocated(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function consumerOf({ keyedBy, store }: Round): Promise<InMemoryConsumer> {
  const id = JSON.stringify([keyedBy, store]);
  const known = consumers.get(id);
  if (known !== undefined) return known;
  const made = store.type === 'memory' ? (await peer()).inMemory(keyedBy, store.latencyMs) : await deployed();
  consumers.set(id, made);
  return made;
}

async function peer(): Promise<Peer> {
  const module: { readonly peer: Peer } = await import(inPeers('peer.ts'));
  return module.peer;
}

async function deployed(): Promise<InMemoryConsumer> {
  const module: { readonly handler: Handler } = await import(inPeers('handler.ts'));
  const { handler } = module;
  return {
    // The bare consumer lets the whole batch fail. The others report failed records.
    handler: (event, context) => handler(event, context).catch(() => ({ batchItemFailures: [] })),
    forget: () => undefined,
  };
}
