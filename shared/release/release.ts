import type { Context } from 'aws-lambda';
import type { Connection } from '../connection.ts';
import { LockstepError } from '../errors.ts';
import { clusterUuid } from '../record/item-identifier.ts';
import type { Consumer } from '../runtime/consumer.ts';
import { Invocation } from '../runtime/invocation.ts';
import { parseReleaseEvent } from './release-event.ts';
import { type ReleaseAnswer, runRelease } from './run-release.ts';

/**
 * The second kind of invocation of a consumer function: its operator function or its relay releases a parked key.
 *
 * @throws LockstepError EVENT_RECORD_MALFORMED; EVENT_FOREIGN where it is of another topic: nothing is claimed then
 */
export async function release<V>(
  consumer: Consumer<V>,
  event: object,
  context: Context,
  { ports, deployment, ended }: Connection,
): Promise<ReleaseAnswer> {
  const asked = parseReleaseEvent(event);
  const cluster = deployment === undefined ? asked.cluster : clusterUuid(deployment.eventSourceArn);
  if (deployment !== undefined && (asked.cluster !== cluster || asked.topic !== deployment.topic))
    throw new LockstepError('EVENT_FOREIGN', `expected a release of the topic ${deployment.topic}`);
  const invocation = new Invocation(context.awsRequestId, context.getRemainingTimeInMillis(), ports.clock);
  return runRelease(consumer, asked, invocation, ports, (report) => ended?.([report]));
}
