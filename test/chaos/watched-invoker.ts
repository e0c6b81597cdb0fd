import type { Invoker } from '../../infra/local/event-source/invoker.ts';

interface KafkaEventJson {
  readonly records: Readonly<Record<string, readonly { readonly offset: number }[]>>;
}

/**
 * Looks at each answer: every identifier came from the event, and what is named of a partition is the whole tail from the first
 * one on, or a mapping that sends back only what is reported would lose the rest.
 *
 * @param onUntrue - told what is wrong with an answer
 */
export function watchedInvoker(invoker: Invoker, onUntrue: (text: string) => void): Invoker {
  return {
    invoke: async (functionArn, payload) => {
      const invocation = await invoker.invoke(functionArn, payload);
      if (invocation.type === 'answered')
        for (const text of untruths(JSON.parse(payload), JSON.parse(invocation.payload || 'null'))) onUntrue(text);
      return invocation;
    },
  };
}

/** What is wrong with an answer, as texts. */
export function untruths({ records }: KafkaEventJson, answer: unknown): string[] {
  const named = new Map<string, number[]>();
  const texts: string[] = [];
  for (const { itemIdentifier } of failuresOf(answer)) {
    const { partition, offset } = itemIdentifier;
    if (records[partition]?.some((record) => record.offset === offset))
      named.set(partition, [...(named.get(partition) ?? []), offset]);
    else texts.push(`an answer names ${partition}@${offset}, which was not in its event`);
  }
  for (const [partition, offsets] of named) {
    const first = Math.min(...offsets);
    const tail = (records[partition] ?? []).filter(({ offset }) => offset >= first);
    const missing = tail.find(({ offset }) => !offsets.includes(offset));
    if (missing !== undefined)
      texts.push(`an answer names ${partition}@${first} and not ${partition}@${missing.offset}, which follows it`);
  }
  return texts;
}

interface Failure {
  readonly itemIdentifier: { readonly partition: string; readonly offset: number };
}

function failuresOf(answer: unknown): readonly Failure[] {
  if (typeof answer !== 'object' || answer === null || !('batchItemFailures' in answer)) return [];
  return Array.isArray(answer.batchItemFailures) ? answer.batchItemFailures : [];
}
