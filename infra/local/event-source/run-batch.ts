import { type Batch, type InvocationOutcome, readAnswer } from './decide.ts';
import type { Ended } from './dispatcher.ts';
import type { EncodedRecord } from './encode-record.ts';
import type { EsmMetrics } from './esm-metrics.ts';
import { type Envelope, eventJson } from './event-json.ts';
import type { MutableStats } from './event-source-stats.ts';
import type { Invocation, Invoker } from './invoker.ts';

export interface RunBatchOptions {
  readonly functionArn: string;
  readonly envelope: Envelope;
  readonly invoker: Invoker;
  readonly metrics: EsmMetrics;
  readonly stats: MutableStats;
  readonly onInvocation: (invocation: Invocation) => void;
  readonly deliverTwice: (batch: Batch<EncodedRecord>) => boolean;
}

/** Gives an event to the function and says how that ended. @throws never */
export async function runBatch(batch: Batch<EncodedRecord>, options: RunBatchOptions): Promise<Ended> {
  const { stats, metrics } = options;
  const payload = eventJson(options.envelope, batch.parts);
  const once = async (): Promise<Ended> => {
    stats.invocations += 1;
    stats.invokedRecords += batch.recordCount;
    metrics.count('InvokedEventCount', batch.recordCount);
    metrics.count('EventPollerThroughputInBytes', batch.bytes);
    const invocation = await options.invoker.invoke(options.functionArn, payload);
    options.onInvocation(invocation);
    const outcome = outcomeOf(invocation);
    if (outcome.type === 'error') stats.functionErrors += 1;
    if (outcome.type === 'notInvoked') stats.notInvoked += 1;
    if (outcome.type === 'malformed') stats.malformedAnswers += 1;
    if (outcome.type !== 'answered') metrics.count('InvokeErrorCount', 1);
    const requestId = invocation.type === 'notInvoked' ? undefined : invocation.requestId;
    return { outcome, ...(requestId && { requestId }) };
  };
  if (batch.resent) {
    stats.resends += 1;
    stats.resentRecords += batch.recordCount;
  }
  if (!options.deliverTwice(batch)) return once();
  stats.deliveredTwice += 1;
  const [ended] = await Promise.all([once(), once()]);
  return ended;
}

function outcomeOf(invocation: Invocation): InvocationOutcome {
  switch (invocation.type) {
    case 'answered':
      return readAnswer(parse(invocation.payload));
    case 'functionError':
      return { type: 'error' };
    case 'notInvoked':
      return { type: 'notInvoked' };
    default:
      return invocation satisfies never;
  }
}

/** A payload that is no JSON stays text: a malformed answer. */
function parse(payload: string): unknown {
  if (payload === '') return undefined;
  try {
    return JSON.parse(payload);
  } catch {
    return payload;
  }
}
