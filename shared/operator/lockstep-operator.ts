import type { Context } from 'aws-lambda';
import type { OperatorAnswers } from './answers.ts';
import { checkRights } from './look-only.ts';
import { type OperatorPorts, operate } from './operate.ts';
import { readOperatorRequest } from './requests.ts';

/** Time that a slice of a redrive may take at most; none starts later. Milliseconds. */
const SLICE_RESERVE_MS = 15_000;
/** Milliseconds that the answer needs. */
const ANSWER_RESERVE_MS = 2_000;

/** What the operator function runs with. */
export interface OperatorConnection {
  readonly ports: OperatorPorts;
  begin(context: Context): void;
}

/**
 * Makes the operator function of a consumer: `lockstep` invokes it where brokers cannot be reached from a laptop, and anybody may
 * invoke it with the same requests. A redrive works in slices until its time is up; `left` in its answer says that the same
 * request is to be sent again.
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
