import { OperatorError } from '../operator-errors.ts';
import type { OperatorRequest } from './requests.ts';

/** The alias under which the operator function answers questions and changes nothing. */
export const LOOK_ALIAS = 'look';

/** Whether a request changes something: it writes to a topic, or has parked records run. */
export function isActing(request: OperatorRequest): boolean {
  return request.type === 'release' || ('dryRun' in request && !request.dryRun);
}

/**
 * Refuses a request that would change something, where the function was invoked under the alias. A principal who may only look
 * has the right to invoke only the alias.
 *
 * @param invokedFunctionArn - of the invocation's context; AWS sets it.
 * https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html
 * @throws LockstepError OPERATOR_MAY_ONLY_LOOK
 */
export function checkRights(request: OperatorRequest, invokedFunctionArn: string): void {
  const qualifier = invokedFunctionArn.split(':')[7];
  if (qualifier === LOOK_ALIAS && isActing(request))
    throw new OperatorError(
      'OPERATOR_MAY_ONLY_LOOK',
      `a ${request.type} was requested under the alias \`${LOOK_ALIAS}\``,
    );
}
