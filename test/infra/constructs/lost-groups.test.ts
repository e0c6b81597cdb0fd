import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { afterAll, expect, test } from 'vitest';
import type { LockstepConsumerProps } from '../../../infra/constructs/consumer-props.ts';
import { LockstepConsumer } from '../../../infra/constructs/lockstep-consumer.ts';
import { LEAST } from '../synth.ts';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-groups-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What synth warns of about groups, in the folder of the synth before. */
function warnings(outdir: string, consumers: Readonly<Record<string, Partial<LockstepConsumerProps>>>): string[] {
  const app = new App({ outdir: join(folder, outdir), context: { 'aws:cdk:bundling-stacks': [] } });
  const stack = new Stack(app, 'Shop');
  for (const [id, props] of Object.entries(consumers)) new LockstepConsumer(stack, id, { ...LEAST, ...props });
  app.synth();
  return Annotations.fromStack(stack)
    .findWarning('*', Match.stringLikeRegexp('consumer group'))
    .map(({ entry }) => String(entry.data));
}

test('a rename that loses the group is warned of, with the property that keeps it', () => {
  expect(warnings('rename', { Orders: {} })).toEqual([]);
  expect(warnings('rename', { Sales: {} })).toEqual([
    expect.stringContaining(
      "the consumer group `Shop-Orders` of topic `orders` is gone since the last synth, and `Shop-Sales` is new. The new group starts without progress: records run again. After a rename or a move, set `consumerGroup: 'Shop-Orders'`",
    ),
  ]);
});

test('a rename that keeps the group, another consumer of the topic, and a consumer that is removed are not', () => {
  const names = { Orders: {}, Audit: { topic: 'audit' } };
  expect(warnings('kept', names)).toEqual([]);
  expect(warnings('kept', { Sales: { consumerGroup: 'Shop-Orders' }, Audit: { topic: 'audit' } })).toEqual([]);
  expect(warnings('kept', { Sales: { consumerGroup: 'Shop-Orders' }, Billing: {} })).toEqual([]);
});
