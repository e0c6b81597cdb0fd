import { byPosition, json, lockstepConsumer } from '../../shared/lockstep-consumer.ts';
import { deviceTable } from './device-table.ts';
import { DeviceEvent } from './event.ts';
import { upsertDevices } from './upsert-devices.ts';

const upsert = upsertDevices(deviceTable(process.env['DEVICES_TABLE']));

export const handler = lockstepConsumer({
  value: json(DeviceEvent),
  idempotencyKey: byPosition,
  maxBatchRecords: 500,
  onBatch: (records, { signal }) => upsert(records, signal),
});
