/** One entry of a function's `batchItemFailures`. */
export interface ReportedFailure {
  /** The key of `event.records`. */
  readonly partition: string;
  readonly offset: number;
}

/** How an invocation ended, as far as the mapping cares. */
export type InvocationOutcome =
  | { readonly type: 'answered'; readonly batchItemFailures: readonly ReportedFailure[] }
  /** The answer is not what `ReportBatchItemFailures` asks for. */
  | { readonly type: 'malformed'; readonly found: string }
  /** Function error, crash or timeout. */
  | { readonly type: 'error' }
  /** Throttled or refused before the function ran: not an attempt. */
  | { readonly type: 'notInvoked' };

/**
 * What a function's answer means. Empty and null mean success; anything that is not a list of
 * `{ itemIdentifier: { partition, offset } }` has the whole batch retried.
 * https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
 *
 * @param answer - the parsed JSON of the payload, `undefined` where it was empty
 */
export function readAnswer(answer: unknown): InvocationOutcome {
  if (answer === undefined || answer === null || answer === '') return SUCCESS;
  if (typeof answer !== 'object' || Array.isArray(answer)) return malformed(answer);
  if (!('batchItemFailures' in answer) || answer.batchItemFailures === null) return SUCCESS;
  const { batchItemFailures } = answer;
  if (!Array.isArray(batchItemFailures)) return malformed(batchItemFailures);
  const failures: ReportedFailure[] = [];
  for (const entry of batchItemFailures as readonly unknown[]) {
    const failure = readFailure(entry);
    if (!failure) return malformed(entry);
    failures.push(failure);
  }
  return { type: 'answered', batchItemFailures: failures };
}

const SUCCESS: InvocationOutcome = { type: 'answered', batchItemFailures: [] };

function malformed(found: unknown): InvocationOutcome {
  return { type: 'malformed', found: (JSON.stringify(found) ?? String(found)).slice(0, 200) };
}

function readFailure(entry: unknown): ReportedFailure | undefined {
  if (typeof entry !== 'object' || entry === null || !('itemIdentifier' in entry)) return undefined;
  const { partition, offset } = (entry.itemIdentifier ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof partition !== 'string' || typeof offset !== 'number' || !Number.isSafeInteger(offset)) return undefined;
  return { partition, offset };
}
