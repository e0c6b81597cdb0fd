/** The parts of a record that an answer names. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** The records that Lambda must deliver again. https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html */
export interface BatchAnswer {
  readonly batchItemFailures: readonly {
    readonly itemIdentifier: { readonly partition: string; readonly offset: number };
  }[];
}

/**
 * Runs records as a user would write it with care: partitions side by side, the records of one in order, up to the first that
 * fails; it and all after it are reported.
 */
export async function inOrder<R extends Place>(
  records: readonly R[],
  apply: (record: R) => Promise<unknown>,
): Promise<BatchAnswer> {
  const byPartition = Map.groupBy(records, ({ topic, partition }) => `${topic}-${partition}`);
  const answers = await Promise.all(
    [...byPartition].map(async ([partition, own]) => {
      for (const [index, record] of own.entries()) {
        try {
          await apply(record);
        } catch {
          return own.slice(index).map(({ offset }) => ({ itemIdentifier: { partition, offset } }));
        }
      }
      return [];
    }),
  );
  return { batchItemFailures: answers.flat() };
}
