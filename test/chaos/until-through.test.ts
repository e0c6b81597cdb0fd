import { AssignerProtocol } from 'kafkajs';
import { expect, test } from 'vitest';
import { type RunUnderWay, untilThrough } from './until-through.ts';

/** A run of ten records on two partitions whose group holds still at these offsets. */
function runAt(offsets: readonly number[], changes: Partial<RunUnderWay> = {}) {
  const lines: string[] = [];
  const run: RunUnderWay = {
    admin: {
      fetchOffsets: async ({ topics = [] }) =>
        topics.map((topic) => ({
          topic: String(topic),
          partitions: offsets.map((offset, partition) => ({ partition, offset: String(offset), metadata: null })),
        })),
      describeGroups: async () => ({
        groups: [
          {
            ...{ errorCode: 0, groupId: 'group', protocol: '', protocolType: '', state: 'Stable' },
            members: ['zombie', 'poller'].map((memberId, partition) => ({
              ...{ clientHost: '', clientId: '', memberId, memberMetadata: Buffer.alloc(0) },
              memberAssignment: AssignerProtocol.MemberAssignment.encode({
                ...{ version: 0, assignment: { orders: [partition] }, userData: Buffer.alloc(0) },
              }),
            })),
          },
        ],
      }),
    },
    consumer: { mapping: { topic: 'orders', consumerGroupId: 'group' } },
    history: { read: async () => {}, events: [] },
    ...{ records: 10, isOver: () => false, pollers: () => 1, patienceMs: 20 },
    onProgress: (line) => lines.push(line),
    ...changes,
  };
  return { run, lines };
}

test('a run that makes no progress is stuck, and is reported with offsets, members and pollers', async () => {
  const { run, lines } = runAt([5, -1]);

  expect(await untilThrough(run)).toEqual({
    ...{ seconds: 0, groupState: 'Stable', pollers: 1 },
    committed: new Map([
      [0, 5],
      [1, 0],
    ]),
    members: [
      { id: 'zombie', partitions: [0] },
      { id: 'poller', partitions: [1] },
    ],
  });
  expect(lines.at(-1)).toBe('stuck: 5 of 10 committed by group');
});

test('a run whose group has committed everything is through', async () => {
  expect(await untilThrough(runAt([5, 5]).run)).toBeUndefined();
});

test('a run that is over for another reason is not stuck', async () => {
  expect(await untilThrough(runAt([5, 0], { isOver: () => true }).run)).toBeUndefined();
});
