import * as v from 'valibot';

/** What a device measured. */
export const DeviceEvent = v.strictObject({
  deviceId: v.pipe(v.string(), v.minLength(1)),
  celsius: v.number(),
});

export type DeviceEvent = v.InferOutput<typeof DeviceEvent>;
