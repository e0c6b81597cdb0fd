import type { Context } from 'aws-lambda';
import type { KafkaBatchResponse } from '../decide/batch-response.ts';
import { LockstepError } from '../errors.ts';
import type { RawRecord } from '../record/delivered-record.ts';
import { type DeliveredEvent, type KafkaEvent, parseKafkaEvent } from '../record/kafka-event.ts';
import type { ConsumerRequest } from './invocation-telemetry.ts';

/** An event as Lambda sent it, before any middleware saw it. */
type Arrived =
  | { readonly type: 'read'; readonly delivered: DeliveredEvent }
  | { readonly type: 'refused'; readonly error: unknown };

/**
 * Added middlewares may read everything, and may change nothing that decides about records. If one decodes the event in place,
 * values would be decoded twice. If one replaces the answer, Lambda would take failed records for handled ones.
 */
export class MiddlewareGuard {
  readonly #arrived = new WeakMap<Context, Arrived>();
  readonly #answers = new WeakMap<Context, string>();

  /** Remembers an event before any middleware sees it. */
  begin({ event, context }: Pick<ConsumerRequest, 'event' | 'context'>): void {
    this.#arrived.set(context, arrived(event));
  }

  /**
   * The event as it came.
   *
   * @throws LockstepError EVENT_NOT_KAFKA, EVENT_RECORD_MALFORMED
   * @throws LockstepError EVENT_CHANGED where a middleware changed it
   */
  delivered(event: KafkaEvent, context: Context): DeliveredEvent {
    // A middleware may have replaced the context: then the beginning of its invocation is not known.
    const before = this.#arrived.get(context) ?? arrived(event);
    // A weak map keeps its values until a full collection: the records of thousands of invocations.
    this.#arrived.delete(context);
    if (before.type === 'refused') throw before.error;
    const change = changeIn(event.records, before.delivered);
    if (change !== undefined) throw new LockstepError('EVENT_CHANGED', `event.records.${change}`);
    return before.delivered;
  }

  /** Remembers the consumer's answer. */
  answered(context: Context, response: KafkaBatchResponse): void {
    this.#answers.set(context, JSON.stringify(response));
  }

  /** @throws LockstepError ANSWER_CHANGED where Lambda would get anything but the consumer's answer */
  check({ context, response }: Pick<ConsumerRequest, 'context' | 'response'>): void {
    const expected = this.#answers.get(context);
    if (expected !== undefined && textOf(response) === expected) return;
    throw new LockstepError(
      'ANSWER_CHANGED',
      expected === undefined
        ? 'a middleware answered instead of the consumer'
        : 'a middleware replaced the answer of the consumer',
    );
  }
}

function arrived(event: unknown): Arrived {
  try {
    return { type: 'read', delivered: parseKafkaEvent(event) };
  } catch (error) {
    return { type: 'refused', error };
  }
}

/** The first place where the records of an event differ from those that were delivered. */
function changeIn(records: unknown, { partitions }: DeliveredEvent): string | undefined {
  const now = (typeof records === 'object' && records !== null ? records : {}) as Partial<KafkaEvent['records']>;
  for (const { identifier, records: delivered } of partitions) {
    const kept = now[identifier];
    if (!Array.isArray(kept) || kept.length !== delivered.length)
      return `${identifier}: expected ${delivered.length} records as Lambda sent them, got ${Array.isArray(kept) ? kept.length : typeof kept}`;
    for (const [index, record] of delivered.entries()) {
      const raw: RawRecord | undefined = kept[index];
      const changed = record.changeIn(raw);
      if (changed !== undefined)
        return `${identifier}[${index}].${changed}: expected what Lambda sent, got another ${typeof raw?.[changed]}`;
    }
  }
  return undefined;
}

function textOf(response: unknown): string | undefined {
  try {
    return JSON.stringify(response);
  } catch {
    return undefined;
  }
}
