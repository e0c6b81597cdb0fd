import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type GroupMemberOptions, joinGroup } from '../../../../infra/local/event-source/group-member.ts';
import { fakeGroup } from './a-group.ts';

// `vi.waitFor` moves the clock.
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const nothing = () => {};
const TOPIC = { topic: 'orders', groupId: 'group' };

function joining(options: Partial<GroupMemberOptions> = {}) {
  const { kafka, made } = fakeGroup('orders');
  const member = joinGroup({ kafka, ...TOPIC, onJoin: nothing, onRebalance: nothing, onCrash: nothing, ...options });
  return { member, made };
}

describe('who leaves', () => {
  test('while it joins for the first time is not a member afterwards, and nothing waits for it any more', async () => {
    const { member, made } = joining();
    const left = member.leave();
    await member.joined;
    made[0]?.connected.resolve();
    await left;

    expect(made.map(({ isMember }) => isMember)).toEqual([false]);
  });

  test('while it is joining again is no member afterwards', async () => {
    const { member, made } = joining();
    made[0]?.connected.resolve();
    await member.joined;
    made[0]?.crash(new Error('the broker is gone'));
    await vi.waitFor(() => expect(made).toHaveLength(2));
    const left = member.leave();
    made[1]?.connected.resolve();
    await left;

    expect(made.map(({ isMember }) => isMember)).toEqual([false, false]);
  });

  test('before it joins again does not join again', async () => {
    const { member, made } = joining();
    made[0]?.connected.resolve();
    await member.joined;
    made[0]?.crash(new Error('the broker is gone'));
    await member.leave();
    await vi.advanceTimersByTimeAsync(60_000);

    expect(made).toHaveLength(1);
  });

  test('while no broker answers is gone within seconds', async () => {
    const { member } = joining();
    const left = member.leave();
    await vi.advanceTimersByTimeAsync(5_000);

    await expect(left).resolves.toBeUndefined();
  });
});

describe('who crashes', () => {
  test('says why, each time, and joins again', async () => {
    const crashes: unknown[] = [];
    const joins: (readonly number[])[] = [];
    const { member, made } = joining({
      onCrash: (error) => crashes.push(error),
      onJoin: (partitions) => joins.push(partitions),
    });
    made[0]?.connected.resolve();
    await member.joined;
    const gone = new Error('the broker is gone');
    made[0]?.crash(gone);
    expect(member.current()).toBeUndefined();
    await vi.waitFor(() => expect(made).toHaveLength(2));
    const refused = new Error('connection refused');
    made[1]?.connected.reject(refused);
    await vi.waitFor(() => expect(made).toHaveLength(3));
    made[2]?.connected.resolve();
    await vi.waitFor(() => expect(joins).toHaveLength(2));

    expect(crashes).toEqual([gone, refused]);
    expect(member.current()).toBeDefined();
    await member.leave();
  });
});

test('rejects, and leaves, where no broker answers at first', async () => {
  const { member, made } = joining();
  made[0]?.connected.reject(new Error('connection refused'));

  await expect(member.joined).rejects.toThrow('connection refused');
  await member.leave();
  expect(made).toHaveLength(1);
});

test('leaves the reading to others: kafkajs cannot read all that a topic may hold', async () => {
  const { member, made } = joining();
  made[0]?.connected.resolve();
  await member.joined;

  expect(made[0]?.paused).toEqual(['orders']);
  await member.leave();
});
