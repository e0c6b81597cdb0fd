import { byPosition, json, type LockstepHandler, lockstepConsumer } from '../../shared/lockstep-consumer.ts';
import { DeviceEvent } from './event.ts';
import { type DeviceTable, upsertDevices } from './upsert-devices.ts';

/** The consumer of device events over what it reaches: tests give it fakes. */
export function eventsConsumer(table: DeviceTable): LockstepHandler {
  const upsert = upsertDevices(table);
  return lockstepConsumer({
    value: json(DeviceEvent),
    idempotencyKey: byPosition,
    maxBatchRecords: 500,
    onBatch: (records, { signal }) => upsert(records, signal),
  });
}
