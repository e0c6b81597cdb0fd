import type { KafkaBatchResponse } from '../../decide/batch-response.ts';
import type { RawRecord } from '../../record/delivered-record.ts';
import { partitionName } from '../../record/item-identifier.ts';
import type { KafkaEvent } from '../../record/kafka-event.ts';
import { kafkaEvent } from '../record.ts';
import type { Reading } from './plan.ts';

/** The events for these records, with at most `batch` records of each partition. */
export function eventsOf(records: readonly RawRecord[], batch: number): KafkaEvent[] {
  const events: RawRecord[][] = [];
  const sent = new Map<string, number>();
  for (const record of records) {
    const name = partitionName(record);
    const before = sent.get(name) ?? 0;
    sent.set(name, before + 1);
    const event = Math.floor(before / batch);
    events[event] ??= [];
    events[event].push(record);
  }
  return events.map((of) => kafkaEvent(of));
}

/** What Lambda delivers next, under one reading. `answer`: `undefined` where the invocation failed. */
export function resent(
  event: KafkaEvent,
  answer: KafkaBatchResponse | undefined,
  reading: Reading,
  later: readonly KafkaEvent[],
): { readonly events: readonly KafkaEvent[]; readonly isRetry: boolean } {
  const open = answer === undefined ? event : reported(event, answer);
  if (open === undefined) return { events: later, isRetry: false };
  const again = reading === 'batch' ? event : open;
  const [next, ...rest] = later;
  if (next === undefined || answer === undefined) return { events: [again, ...later], isRetry: true };
  if (reading === 'overtaken') return { events: [next, again, ...rest], isRetry: true };
  if (reading === 'lowest') return { events: [joined(again, next), ...rest], isRetry: true };
  return { events: [again, ...later], isRetry: true };
}

/** The records that Lambda delivers again: the reported ones. `undefined`: there are none. */
export function reported(event: KafkaEvent, { batchItemFailures }: KafkaBatchResponse): KafkaEvent | undefined {
  if (batchItemFailures.length === 0) return undefined;
  const names = new Set(batchItemFailures.map(({ itemIdentifier: { partition, offset } }) => `${partition}@${offset}`));
  const rest = Object.entries(event.records).flatMap(([name, raw]) => {
    const kept = raw.filter(({ offset }) => names.has(`${name}@${offset}`));
    return kept.length === 0 ? [] : [[name, kept] as const];
  });
  return { ...event, records: Object.fromEntries(rest) };
}

function joined(first: KafkaEvent, second: KafkaEvent): KafkaEvent {
  return kafkaEvent([...Object.values(first.records).flat(), ...Object.values(second.records).flat()]);
}
