import { LockstepError } from './errors.ts';
import { clusterUuid, partitionName } from './record/item-identifier.ts';
import type { DeliveredEvent } from './record/kafka-event.ts';
import type { ConsumerPolicy } from './runtime/consumer.ts';

/** What the construct says of the mapping of the function, and of the handler's options. */
export interface Deployment {
  /**
   * The event source of the mapping: the cluster, or the VPC connection to a cluster of another account. Of a self-managed cluster,
   * which has no ARN, its `clusterId`.
   */
  readonly eventSourceArn: string;
  /** The mapping's topic. */
  readonly topic: string;
  /** `retry.maxAttempts` as given to the construct. */
  readonly maxAttempts: number;
  /** `retry.maxInterruptions` as given to the construct. */
  readonly maxInterruptions: number;
  /** `retry.onExhausted` as the construct was told it. */
  readonly onExhausted: 'deadLetter' | 'park';
  /** The namespaces in which the function may keep idempotency keys. */
  readonly keyNamespaces: readonly string[];
}

/**
 * Refuses an event that the function's own mapping cannot have sent. Whoever may invoke the function can send any event. Such
 * an event must not claim a partition, move progress or reach a broker.
 *
 * @returns the event with the cluster as the ledger's keys have it
 * @throws LockstepError EVENT_FOREIGN: nothing of the event is handled
 */
export function checkEventSource(event: DeliveredEvent, { eventSourceArn, topic }: Deployment): DeliveredEvent {
  const cluster = clusterUuid(eventSourceArn);
  // A self-managed cluster has no ARN.
  const expected = cluster === eventSourceArn ? undefined : eventSourceArn;
  if (event.eventSourceArn !== expected)
    throw foreign(`expected \`eventSourceArn\` to be ${expected ?? 'none'}, got ${shown(event.eventSourceArn)}`);
  for (const partition of event.partitions) {
    if (partition.topic !== topic)
      throw foreign(`expected records of the topic ${topic}, got ${shown(partition.topic)}`);
    const name = partitionName(partition);
    if (partition.identifier !== name)
      throw foreign(`expected the records of ${name} under that name, got ${shown(partition.identifier)}`);
  }
  return { ...event, cluster };
}

/**
 * Refuses a handler whose options differ from those given to the construct. The construct relies on them: it refuses a failure
 * destination where records must block for ever, and it grants access only to keys of these namespaces.
 *
 * @throws LockstepError DEPLOYMENT_DIFFERS naming each option
 */
export function checkDeployedOptions(
  { retry, keyNamespace }: Pick<ConsumerPolicy, 'retry' | 'keyNamespace'>,
  { maxAttempts, maxInterruptions, onExhausted, keyNamespaces }: Deployment,
): void {
  const differing: string[] = [];
  const compare = (name: string, handler: number, construct: number) => {
    if (handler !== construct)
      differing.push(`\`${name}\` is ${handler} in the handler and ${construct} in the construct`);
  };
  compare('retry.maxAttempts', retry.maxAttempts, maxAttempts);
  compare('retry.maxInterruptions', retry.maxInterruptions, maxInterruptions);
  const parks = retry.park === undefined ? 'deadLetter' : 'park';
  if (parks !== onExhausted)
    differing.push(`\`retry.onExhausted\` is \`${parks}\` in the handler and \`${onExhausted}\` in the construct`);
  if (!keyNamespaces.includes(keyNamespace)) {
    const namespaces = keyNamespaces.map((name) => `\`${name}\``).join(', ');
    differing.push(
      `\`keyNamespace\` is \`${keyNamespace}\` in the handler, which is none of \`keyNamespaces\` in the construct: ${namespaces}`,
    );
  }
  if (differing.length > 0) throw new LockstepError('DEPLOYMENT_DIFFERS', differing.join('; '));
}

function foreign(what: string): LockstepError {
  return new LockstepError('EVENT_FOREIGN', what);
}

/** A text from outside, quoted and cut, so that its characters cannot change a log. */
function shown(text: string | undefined): string {
  return text === undefined ? 'none' : JSON.stringify(text.slice(0, 200));
}
