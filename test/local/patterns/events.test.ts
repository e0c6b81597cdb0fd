import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { runConsumers } from '../../../infra/local/consumers.ts';
import { patternCloud } from './pattern-cloud.ts';

test('functions/events keeps the latest event of each device, in bulk, and letters what cannot be', async () => {
  const { cloud, produce, items, records } = await patternCloud();
  const run = randomUUID();
  const events = Array.from({ length: 2_000 }, (_, index) => ({
    key: `${run}-${index % 50}`,
    value: JSON.stringify({ deviceId: `${run}-${index % 50}`, celsius: index }),
  }));
  events.push({ key: `${run}-50`, value: JSON.stringify({ deviceId: `${run}-50`, celsius: -1_000 }) });

  const running = await runConsumers(cloud, { consumers: ['Events'] });
  onTestFinished(() => running.stop());
  await produce('events', events);

  await expect
    .poll(
      async () => {
        const ours = (await items('DevicesTableName')).filter(({ deviceId }) => deviceId?.S?.startsWith(run));
        return Object.fromEntries(ours.map(({ deviceId, celsius }) => [deviceId?.S, Number(celsius?.N)]));
      },
      { timeout: 180_000 },
    )
    .toEqual(Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`${run}-${index}`, 1_950 + index])));
  await expect
    .poll(
      async () =>
        (await records('Lockstep-Patterns-local-Events-dead-letters')).filter(({ key }) => key === `${run}-50`),
      {
        timeout: 180_000,
      },
    )
    .toMatchObject([{ headers: { 'x-error-name': 'EVENT_IMPOSSIBLE', 'x-retry-count': '1' } }]);
});
