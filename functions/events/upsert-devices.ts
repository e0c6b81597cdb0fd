import { BatchFailure, type ConsumerRecord, NonRetryableError } from '../../shared/lockstep-consumer.ts';
import type { DeviceEvent } from './event.ts';

/** Where the latest event of each device is kept. */
export interface DeviceTable {
  /** A repeated write changes nothing. @throws when not all were written */
  putAll(events: readonly DeviceEvent[], signal: AbortSignal): Promise<void>;
}

type Events = readonly ConsumerRecord<DeviceEvent>[];

/**
 * Keeps the latest event of each device, in bulk.
 *
 * @throws BatchFailure naming an event with an impossible value; the events before it are written
 */
export function upsertDevices(table: DeviceTable): (events: Events, signal: AbortSignal) => Promise<void> {
  return async (events, signal) => {
    const broken = events.find(({ value }) => value.celsius < ABSOLUTE_ZERO_CELSIUS);
    const sound = broken === undefined ? events : events.slice(0, events.indexOf(broken));
    const latest = new Map(sound.map(({ value }) => [value.deviceId, value]));
    if (latest.size > 0) await table.putAll([...latest.values()], signal);
    if (broken !== undefined)
      throw new BatchFailure(broken, {
        cause: new NonRetryableError('colder than absolute zero', { code: 'EVENT_IMPOSSIBLE' }),
      });
  };
}

const ABSOLUTE_ZERO_CELSIUS = -273.15;
