import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, onTestFinished, test } from 'vitest';
import { runConsumers } from '../../../infra/local/consumers.ts';
import { openStacks } from '../../../infra/local/deploy-stacks.ts';
import { RESEND_READINGS } from '../../../infra/local/event-source/decide.ts';
import { commandEnvironment } from '../fixtures/command-environment.ts';

test.each(RESEND_READINGS)('lockstep verify finds the reading %s where the event source has it', async (resend) => {
  // The rest of the experiment does not depend on the reading, and waits for a timeout of the function.
  const isWhole = resend === 'lowest';
  const cloud = await openStacks(inject('localCloud'), ['Lockstep-Verify']);
  const running = await runConsumers(cloud, { resend });
  onTestFinished(() => running.stop());
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-verify-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const cloudFile = join(folder, 'cloud.json');
  await writeFile(cloudFile, JSON.stringify(cloud));

  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['cli/main.ts', 'verify', '--local', '--rounds', '1', '--json', ...(isWhole ? [] : ['--quick'])],
    { env: { ...commandEnvironment(), LOCKSTEP_CLOUD_FILE: cloudFile, LOCKSTEP_OPERATOR: 'ann', NO_COLOR: '1' } },
  );

  expect(JSON.parse(stdout)).toMatchObject({
    consumer: 'Verify',
    reading: resend,
    rounds: [{ evidence: expect.stringContaining('0–9 came, 3 was reported'), pausesMs: { length: 2 } }],
    ...(isWhole && {
      deadLetterMs: expect.any(Number),
      alarm: 'rang',
      alarmMs: expect.any(Number),
      isolation: 'committed',
      afterTimeout: expect.stringMatching(/^0–2 had come; 0–2 came after \d+ ms$/),
      afterRestart: expect.stringMatching(/^3–9 came after \d+ ms$/),
    }),
  });
});
