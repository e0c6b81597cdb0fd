import type { Construct, IConstruct } from 'constructs';
import { commandName } from './consumer-output.ts';
import type { ConsumerSettings } from './consumer-settings.ts';
import { clusterArnOrId } from './kafka-cluster.ts';
import type { Refusal } from './refusal.ts';
import { RefusalError } from './refusal-error.ts';
import { refusalsOf } from './refusals.ts';

interface Seen {
  readonly path: string;
  readonly settings: ConsumerSettings;
}

/** The consumers of each app, to find what two of them may not share. */
const seenIn = new WeakMap<IConstruct, Seen[]>();

/** What consumers of one app may not share, by code. */
export const SHARING_REFUSALS = {
  LOCKSTEP_GROUP_SHARED: {
    property: 'consumerGroup',
    because:
      'Two consumers with one group on one cluster: they would take partitions from each other, and each would get only a part.',
    fix: 'Give each consumer its own group',
    objection: (mine, seen) =>
      shared(seen, `the group \`${mine.consumerGroup}\``, (other) => {
        return onOneCluster(mine, other) && mine.consumerGroup === other.consumerGroup;
      }),
  },
  LOCKSTEP_DEAD_LETTER_TOPIC_MADE_TWICE: {
    property: 'deadLetterTopic',
    because: 'Two consumers that would both create the same dead-letter topic: the second deployment fails.',
    fix: 'Make one `DeadLetterTopic` and give it to both as `deadLetterTopic`, or give each a name of its own',
    objection: (mine, seen) =>
      shared(seen, `the dead-letter topic \`${mine.deadLetterTopic.topicName}\``, (other) => {
        const areOurs = mine.deadLetterTopicIsOurs && other.deadLetterTopicIsOurs;
        return (
          areOurs && onOneCluster(mine, other) && mine.deadLetterTopic.topicName === other.deadLetterTopic.topicName
        );
      }),
  },
  LOCKSTEP_CONSUMER_NAME_SHARED: {
    property: 'consumerName',
    because:
      'Two consumers of a stack with one name, or with names that differ only in other characters than letters and digits: outputs, metrics and alarms would be those of both.',
    fix: 'Give each consumer of the stack a `consumerName` of its own',
    objection: (mine, seen) =>
      shared(seen, `the name \`${mine.consumerName}\``, (other) => {
        return mine.stackName === other.stackName && commandName(mine.consumerName) === commandName(other.consumerName);
      }),
  },
  LOCKSTEP_FUNCTION_SHARED: {
    property: 'function',
    because: 'One function for two consumers: its environment can name the topic and the group of one of them only.',
    fix: 'Give each topic a consumer of its own with the same `entry`: one handler, one function and one mapping for each topic',
    objection: ({ existing }, seen) =>
      shared(seen, 'the function', (other) => {
        return existing?.function !== undefined && other.existing?.function === existing.function;
      }),
  },
  LOCKSTEP_POLLER_GROUP_FULL: {
    property: 'pollers.maximum',
    because: 'More than 2,000 pollers, or 100 mappings, in one poller group: Lambda refuses the mapping.',
    fix: 'Lower `pollers.maximum`, or spread the consumers over several groups (`pollers.group`)',
    objection: (mine, seen) => {
      if (mine.mode !== 'provisioned') return undefined;
      const { group } = mine.pollers;
      const members = [mine, ...seen.map(({ settings }) => settings)].filter(
        ({ mode, pollers, region, account }) =>
          mode === 'provisioned' && pollers.group === group && region === mine.region && account === mine.account,
      );
      const pollers = members.reduce((sum, member) => sum + member.pollers.maximum, 0);
      return pollers <= 2_000 && members.length <= 100
        ? undefined
        : `the group \`${group}\` would have ${members.length} mappings with ${pollers} pollers, and may have 100 with 2,000`;
    },
  },
} as const satisfies Record<string, SharingRefusal>;

interface SharingRefusal extends Omit<Refusal, 'objection'> {
  readonly objection: (mine: ConsumerSettings, seen: readonly Seen[]) => string | undefined;
}

function shared(seen: readonly Seen[], what: string, isShared: (other: ConsumerSettings) => boolean) {
  const other = seen.find(({ settings }) => isShared(settings));
  return other && `${what} is also that of ${other.path}`;
}

function onOneCluster(a: ConsumerSettings, b: ConsumerSettings): boolean {
  return clusterArnOrId(a.cluster) === clusterArnOrId(b.cluster);
}

/**
 * Refuses settings that would lose records or block them unseen.
 *
 * @throws RefusalError naming each property, why, and the fix
 */
export function refuse(scope: Construct, settings: ConsumerSettings): void {
  const { path, root } = scope.node;
  const seen = seenIn.get(root) ?? [];
  const own = refusalsOf(settings);
  // Only what is well on its own can be compared.
  const refused = own.length > 0 ? own : sharedWith(seen, settings);
  if (refused.length > 0) throw new RefusalError(refused.map((refusal) => ({ ...refusal, path })));
  seenIn.set(root, [...seen, { path, settings }]);
}

/** The settings of all consumers of an app so far. */
export function consumersOfApp(scope: Construct): readonly ConsumerSettings[] {
  return (seenIn.get(scope.node.root) ?? []).map(({ settings }) => settings);
}

function sharedWith(
  seen: readonly Seen[],
  settings: ConsumerSettings,
): { readonly code: string; readonly text: string }[] {
  return Object.entries<SharingRefusal>(SHARING_REFUSALS).flatMap(([code, { property, fix, objection }]) => {
    const what = objection(settings, seen);
    return what === undefined ? [] : [{ code, text: `\`${property}\`: ${what}. ${fix}.` }];
  });
}
