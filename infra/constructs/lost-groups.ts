import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Annotations, Aspects, Stack, Stage } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** A consumer group and what it reads. */
export interface GroupOfTopic {
  readonly group: string;
  readonly topic: string;
}

const watched = new WeakSet<Stack>();

/**
 * Warns where a rename loses a consumer group: the last synth of the stack, which is still in the output folder, had a group that
 * no consumer has now, and its topic is read in a new one.
 *
 * @param now - the groups of all consumers of the app, asked for when all are there
 */
export function warnOfLostGroups(scope: Construct, now: () => readonly GroupOfTopic[]): void {
  const stack = Stack.of(scope);
  if (watched.has(stack)) return;
  watched.add(stack);
  const before = lastGroups(join(Stage.of(stack)?.outdir ?? '', stack.templateFile));
  if (before.length === 0) return;
  Aspects.of(stack).add({
    visit: (node) => {
      if (node === stack) warn(stack, before, now());
    },
  });
}

function warn(stack: Stack, before: readonly GroupOfTopic[], now: readonly GroupOfTopic[]): void {
  for (const { group, topic } of before) {
    if (now.some((one) => one.group === group)) continue;
    const successor = now.find((one) => one.topic === topic && !before.some((old) => old.group === one.group));
    if (successor === undefined) continue;
    Annotations.of(stack).addWarningV2(
      `lockstep:group-lost-${group}`,
      `the consumer group \`${group}\` of topic \`${topic}\` is gone since the last synth, and \`${successor.group}\` is new. The new group starts without progress: records run again. After a rename or a move, set \`consumerGroup: '${group}'\``,
    );
  }
}

/** What the constructs wrote beside the mappings. */
function lastGroups(templateFile: string): readonly GroupOfTopic[] {
  if (!existsSync(templateFile)) return [];
  const { Resources = {} } = JSON.parse(readFileSync(templateFile, 'utf8'));
  return Object.values<{ readonly Metadata?: { readonly Lockstep?: Noted } }>(Resources).flatMap(({ Metadata }) => {
    const { consumerGroup: group, topic } = Metadata?.Lockstep ?? {};
    return typeof group === 'string' && typeof topic?.topicName === 'string' ? [{ group, topic: topic.topicName }] : [];
  });
}

interface Noted {
  readonly consumerGroup?: unknown;
  readonly topic?: { readonly topicName?: unknown };
}
