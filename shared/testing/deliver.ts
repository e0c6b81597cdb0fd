import { performance } from 'node:perf_hooks';
import { invokeWith } from '../connection.ts';
import type { LockstepHandler } from '../lockstep-consumer.ts';
import type { KafkaEvent } from '../record/kafka-event.ts';
import type { Delivery, DeliveryFaults } from './delivery.ts';
import { DeliveryWorld } from './delivery-world.ts';
import { reported } from './explore/events.ts';
import { kafkaEvent, type TestRecord } from './record.ts';
import { pause } from './virtual-clock.ts';
import { WorkUnderWay } from './work-under-way.ts';

/** Real milliseconds in which work that a handler left behind may still fail. */
const LEFT_BEHIND_MS = 100;

/**
 * Delivers records to a handler as Lambda would, again and again until all are settled. It needs no AWS, no broker and no
 * environment. Time is virtual, so back-offs cost nothing. Time stands still while the handler does real work. A handler that
 * hangs meets `context.signal` and the deadline as in production: at once if it waits for nothing real, otherwise after
 * `timeoutMs`.
 *
 * @throws TypeError for a handler that lockstepConsumer did not make
 * @throws the error of the handler's invocation, for example for a malformed event
 * @throws Error naming a crash of `faults` that did not happen
 * @throws LockstepError CONTEXT_ENDED when a handler calls `transact` or `produce` after it has ended
 * @throws an error that names the record, when a promise is rejected that its handler started and nobody awaited
 */
export async function deliver(
  handler: LockstepHandler,
  records: readonly TestRecord[],
  faults: DeliveryFaults = {},
): Promise<Delivery> {
  const steps = deliverySteps(handler, records, faults);
  let step = await steps.next();
  while (!step.done) step = await steps.next();
  return step.value;
}

/**
 * {@link deliver}, one invocation at a time: `for await (const delivery of deliverySteps(handler, records))`. Each step gives
 * the state of all records so far. Between two steps a test may check its fakes, repair them or break them.
 */
export async function* deliverySteps(
  handler: LockstepHandler,
  records: readonly TestRecord[],
  faults: DeliveryFaults = {},
): AsyncGenerator<Delivery, Delivery, void> {
  const world = new DeliveryWorld(faults);
  const work = new WorkUnderWay();
  try {
    let due: KafkaEvent | undefined = kafkaEvent(records);
    for (let delivery = 0; due !== undefined && delivery < (faults.maxDeliveries ?? 100); delivery++) {
      const event: KafkaEvent = due;
      const invocation = work.run(() => invokeWith(handler, world.newProcess(), event, world.context()));
      const ended = Promise.race([invocation, world.death.promise]);
      const answer = await world.clock.runUntilSettled(ended, work, world.timeoutMs);
      world.answers.push(answer);
      due = answer === undefined ? event : reported(event, answer);
      if (due !== undefined) yield world.delivery();
    }
    for (let release = 0; release < (faults.releases ?? 0); release++) {
      yield world.delivery();
      for (const event of await world.releaseEvents()) {
        // A release is the second kind of event of the same function.
        const released = invokeWith<object, unknown>(handler as never, world.newProcess(), event, world.context());
        const ended = Promise.race([work.run(() => released), world.death.promise]);
        await world.clock.runUntilSettled(ended, work, world.timeoutMs);
      }
    }
    const until = performance.now() + LEFT_BEHIND_MS;
    while (!work.isIdle && world.failure === undefined && performance.now() < until) await pause(1);
  } finally {
    world.close();
    work.close();
  }
  if (world.failure !== undefined) throw world.failure.error;
  world.checkCrashes();
  return world.delivery();
}
