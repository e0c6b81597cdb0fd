import type { CreditRequest } from './credit-service.ts';
import type { DemoPlan } from './demo-plan.ts';

/** A dead letter on the dead-letter topic. */
export interface Letter {
  readonly partition: number;
  readonly key: string | undefined;
  readonly value: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** What was found in the table, at the credit service, on the topics and in CloudWatch. */
export interface Observed {
  /** How often each order of the table was applied. */
  readonly applications: ReadonlyMap<string, number>;
  readonly requests: readonly CreditRequest[];
  /** Dead letters that were written since the demo began. */
  readonly letters: readonly Letter[];
  /** The offset of the demo's first record in each partition. Not 0 on a broker that existed before. */
  readonly firstOffsets: ReadonlyMap<number, number>;
  /** State of the dead-letter alarm. */
  readonly alarm: string | undefined;
  /** Records of the topic that the consumer group has not committed. */
  readonly lag: number;
}

export interface Check {
  readonly claim: string;
  /** What was found. */
  readonly found: string;
  readonly held: boolean;
}

/** Each promise of the demo against what was found. */
export function checks(plan: DemoPlan, observed: Observed): Check[] {
  return [
    everyOrderApplied(plan, observed),
    inOrder(plan, observed),
    flakyCameThrough(plan, observed),
    appliedOnce(plan, observed),
    poisonHasItsLetter(plan, observed),
    {
      claim: 'The dead-letter alarm went to ALARM',
      found: observed.alarm ?? 'no such alarm',
      held: observed.alarm === 'ALARM',
    },
    {
      claim: 'The consumer group has committed everything',
      found: `${observed.lag} records left`,
      held: observed.lag === 0,
    },
  ];
}

function everyOrderApplied({ orderIds }: DemoPlan, { applications }: Observed): Check {
  const present = orderIds.filter((id) => applications.has(id)).length;
  return {
    claim: `All ${orderIds.length} orders are in the table, and no others`,
    found: `${present} of them, ${applications.size - present} others`,
    held: present === orderIds.length && applications.size === orderIds.length,
  };
}

function inOrder(plan: DemoPlan, { requests }: Observed): Check {
  const approved = requests.filter((request) => request.approved).map(({ orderId }) => orderId);
  const breaks = Object.entries(Object.groupBy(plan.records, ({ partition }) => partition)).map(([, records = []]) => {
    // Which copy of the duplicated order comes first is not fixed: they are in different partitions.
    const expected = records.flatMap(({ orderId }) =>
      orderId === undefined || orderId === plan.twice ? [] : [orderId],
    );
    const mine = new Set(expected);
    const actual = approved.filter((id) => mine.has(id));
    return Math.max(
      actual.filter((id, index) => id !== expected[index]).length,
      Math.abs(expected.length - actual.length),
    );
  });
  return {
    claim: 'Each partition was handled in the order in which it was produced, nothing twice',
    found: breaks.map((count, partition) => `partition ${partition}: ${count} out of place`).join('\n'),
    held: breaks.every((count) => count === 0),
  };
}

function flakyCameThrough(plan: DemoPlan, { requests, letters }: Observed): Check {
  const tries = requests.flatMap(({ orderId }, index) => (orderId === plan.flaky ? [index] : []));
  const own = plan.records.findIndex(({ orderId }) => orderId === plan.flaky);
  const partition = plan.records[own]?.partition;
  const followers = new Set(
    plan.records.slice(own + 1).flatMap((record) => (record.partition === partition ? [record.orderId] : [])),
  );
  followers.delete(plan.twice);
  const firstFollower = requests.findIndex(({ orderId }) => followers.has(orderId));
  const ahead = firstFollower > (tries.at(-1) ?? Number.POSITIVE_INFINITY);
  const lettered = letters.some(({ value }) => value?.includes(plan.flaky));
  return {
    claim:
      'The order whose credit check failed twice came through on the third try, before its followers, without a letter',
    found: `${tries.length} tries, followers ${ahead ? 'after' : 'before'} it, ${lettered ? 'a letter' : 'no letter'}`,
    held: tries.length === 3 && ahead && !lettered,
  };
}

function appliedOnce({ twice }: DemoPlan, { applications, requests }: Observed): Check {
  const applied = applications.get(twice) ?? 0;
  const asked = requests.filter(({ orderId }) => orderId === twice).length;
  const most = Math.max(0, ...applications.values());
  return {
    claim: 'The order that was produced twice was applied once, as was every other',
    found: `applied ${applied}×, credit asked ${asked}×; any order at most ${most}×`,
    held: applied === 1 && asked === 1 && most === 1,
  };
}

function poisonHasItsLetter({ poison, records }: DemoPlan, { letters, firstOffsets }: Observed): Check {
  const before = records.filter(({ partition }) => partition === poison.partition).indexOf(poison);
  const offset = (firstOffsets.get(poison.partition) ?? 0) + before;
  const [letter] = letters;
  const wanted: Record<string, string> = {
    'x-original-topic': 'orders',
    'x-original-partition': String(poison.partition),
    'x-original-offset': String(offset),
    'x-stage': 'validate',
  };
  const wrong = Object.entries(wanted).filter(([name, value]) => letter?.headers[name] !== value);
  const isSame = letter?.key === poison.key && letter.value === poison.value && letter.partition === poison.partition;
  const shown = ['x-original-offset', 'x-stage', 'x-error-name'].map((name) => `${name}: ${letter?.headers[name]}`);
  return {
    claim:
      'The poison order is the only letter: same key and value, same partition, headers that say where it came from',
    found: letter === undefined ? 'no letter' : `${letters.length} letter(s), ${shown.join(', ')}`,
    held: letters.length === 1 && isSame && wrong.length === 0,
  };
}
