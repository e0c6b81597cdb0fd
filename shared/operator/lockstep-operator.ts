import type { Context } from 'aws-lambda';
import type { OperatorAnswers } from './answers.ts';
import { checkRights } from './look-only.ts';
import { type OperatorPorts, operate } from './operate.ts';
import { readOperatorRequest } from './requests.ts';

/** The longest time for one transaction of a redrive, in milliseconds. None starts later. */
const SLICE_RESERVE_MS = 15_000;
/** Milliseconds that the answer needs. */
const ANSWER_RESERVE_MS = 2_000;

/** What the operator function runs with. */
export interface OperatorConnection {
  readonly ports: OperatorPorts;
  begin(context: Context): void;
}

/**
 * Makes the operator function of a consumer. The `lockstep` command invokes it, since a laptop cannot reach the brokers; others
 * may invoke it with the same requests. A redrive works until its time is over. `left` in its answer says that the same request
 * must be sent again.
 */
export function lockstepOperator(
  connect: () => Promise<OperatorConnection>,
): (request: unknown, context: Context) => Promise<OperatorAnswers[keyof OperatorAnswers]> {
  let connected: Promise<OperatorConnection> | undefined;
  return async (request, context) => {
    const order = readOperatorRequest(request);
    checkRights(order, context.invokedFunctionArn);
    connected ??= connect();
    const { ports, begin } = await connected.catch((error: unknown) => {
      connected = undefined;
      throw error;
    });
    begin(context);
    const deadline = ports.clock.now() + context.getRemainingTimeInMillis();
    try {
      return await operate(order, ports, {
        stopAt: deadline - SLICE_RESERVE_MS,
        giveUpAt: deadline - ANSWER_RESERVE_MS,
      });
    } finally {
      await Promise.all([ports.log.disconnect(), ports.transactions.disconnect()]);
    }
  };
}
