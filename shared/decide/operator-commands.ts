import { partitionName, type TopicPartition } from '../record/item-identifier.ts';

/**
 * What an operator may decide about a halted replay, each as the command that does it. Log, alarm and `lockstep status` name the same
 * ones.
 *
 * @param target - where the consumer is, as the command line has it: `--stack Prod --consumer Orders`
 */
export function replayCommands(place: TopicPartition, target: string): Readonly<Record<string, string>> {
  const reset = `npx lockstep reset ${partitionName(place)} ${target}`;
  return {
    takeAsDuplicates: `${reset} --skip --why "..."`,
    runAgain: `${reset} --run --why "..."`,
    forgetPartition: `${reset} --why "..."`,
  };
}

/** Where the tools know nothing of a stack, as in tests. */
export const UNKNOWN_TARGET = '--stack <stack>';
