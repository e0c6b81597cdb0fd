import type { Construct, IConstruct } from 'constructs';
import { commandName } from './consumer-output.ts';
import type { ConsumerSettings } from './consumer-settings.ts';
import { RefusalError } from './refusal-error.ts';
import { refusalsOf } from './refusals.ts';

interface Seen {
  readonly path: string;
  readonly settings: ConsumerSettings;
}

/** The consumers of each app, to find what two of them may not share. */
const seenIn = new WeakMap<IConstruct, Seen[]>();

/** What two consumers of one app may not share, by code. */
export const SHARING_REFUSALS = {
  LOCKSTEP_GROUP_SHARED: {
    property: 'consumerGroup',
    because:
      'Two consumers with one group on one cluster: they would take partitions from each other, and each would get only a part.',
    fix: 'Give each consumer its own group',
    shared: (a: ConsumerSettings, b: ConsumerSettings) =>
      onOneCluster(a, b) && a.consumerGroup === b.consumerGroup ? `the group \`${a.consumerGroup}\`` : undefined,
  },
  LOCKSTEP_DEAD_LETTER_TOPIC_MADE_TWICE: {
    property: 'deadLetterTopic',
    because: 'Two consumers that would both create the same dead-letter topic: the second deployment fails.',
    fix: 'Make one `DeadLetterTopic` and give it to both as `deadLetterTopic`, or give each a name of its own',
    shared: (a: ConsumerSettings, b: ConsumerSettings) =>
      onOneCluster(a, b) &&
      a.deadLetterTopicIsOurs &&
      b.deadLetterTopicIsOurs &&
      a.deadLetterTopic.topicName === b.deadLetterTopic.topicName
        ? `the dead-letter topic \`${a.deadLetterTopic.topicName}\``
        : undefined,
  },
  LOCKSTEP_CONSUMER_NAME_SHARED: {
    property: 'consumerName',
    because:
      'Two consumers of a stack with one name, or with names that differ only in other characters than letters and digits: outputs, metrics and alarms would be those of both.',
    fix: 'Give each consumer of the stack a `consumerName` of its own',
    shared: (a: ConsumerSettings, b: ConsumerSettings) =>
      a.stackName === b.stackName && commandName(a.consumerName) === commandName(b.consumerName)
        ? `the name \`${a.consumerName}\``
        : undefined,
  },
} as const;

function onOneCluster(a: ConsumerSettings, b: ConsumerSettings): boolean {
  return a.cluster.clusterArn === b.cluster.clusterArn;
}

/**
 * Refuses settings that would lose records or block them unseen.
 *
 * @throws RefusalError naming each property, why, and the fix
 */
export function refuse(scope: Construct, settings: ConsumerSettings): void {
  const { path, root } = scope.node;
  const seen = seenIn.get(root) ?? [];
  const refused = [...refusalsOf(settings), ...sharedWith(seen, settings)];
  if (refused.length > 0) throw new RefusalError(refused.map((refusal) => ({ ...refusal, path })));
  seenIn.set(root, [...seen, { path, settings }]);
}

function sharedWith(
  seen: readonly Seen[],
  settings: ConsumerSettings,
): { readonly code: string; readonly text: string }[] {
  return seen.flatMap((other) =>
    Object.entries(SHARING_REFUSALS).flatMap(([code, { property, fix, shared }]) => {
      const what = shared(other.settings, settings);
      return what === undefined
        ? []
        : [{ code, text: `\`${property}\`: ${what} is also that of ${other.path}. ${fix}.` }];
    }),
  );
}
