import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type LocalKafka, startKafka } from '../../../infra/local/kafka.ts';
import { CHAOS_BUGS } from '../../chaos/bugs.ts';
import { chaosFindings } from '../../chaos/chaos-table.ts';
import { type Chaos, deployChaos } from '../../chaos/run-chaos.ts';

/** The short form of `npm run chaos`: one reading, few records, those faults that cost little time. */
const FAULTS = ['killedBeforeLetter', 'pollerVanished', 'brokerKilled', 'storm'] as const;

let broker: LocalKafka;
const deployed: Chaos[] = [];

beforeAll(async () => {
  // Not the run's broker: others use that.
  broker = await startKafka({ bootstrapServers: '', shortLived: true });
});

afterAll(async () => {
  for (const chaos of deployed) await chaos.stop();
  await broker?.stop();
});

function servers() {
  return { ...inject('localCloud'), bootstrapServers: broker.bootstrapServers };
}

test('every promise is kept while processes, the broker, a poller and DynamoDB fail in turn', async () => {
  const chaos = await deployChaos(servers(), broker, {
    ...{ stackName: 'ChaosShort', seed: 1, records: 400, readings: ['overtaken'], faults: FAULTS },
  });
  deployed.push(chaos);

  const { findings, counts, letters } = await chaos.run('overtaken', () => {});

  expect(chaosFindings([{ reading: 'overtaken', findings }])).toEqual([]);
  expect(counts).toMatchObject({ killedBeforeLetter: 1, pollerVanished: 1, brokerKilled: 1, storm: 1 });
  expect(counts.workersKilled).toBeGreaterThan(0);
  expect(counts.throttled + counts.answerLost + counts.cut + counts.slow).toBeGreaterThan(0);
  expect(letters).toBeGreaterThan(5);
});

test('an answer that names the blocked record only is found, and which record it would lose', async () => {
  const { patches, reading, faults, records } = CHAOS_BUGS['first-record-only-answer'];
  const chaos = await deployChaos(servers(), broker, {
    ...{ stackName: 'ChaosBug', seed: 1, records, readings: [reading], faults, patches },
    endsAtUntrueAnswer: true,
  });
  deployed.push(chaos);

  const { findings } = await chaos.run(reading, () => {});

  const found = findings.map(({ promise, text }) => `${promise}: ${text}`);
  const untrue = /^answer: an answer names chaos-reported-\d@\d+ and not chaos-reported-\d@\d+/;
  expect(found).toContainEqual(expect.stringMatching(untrue));
});
