import { LockstepError } from './errors.ts';
import { OPERATOR_ERRORS, type OperatorErrorCode } from './operator-error-table.ts';

/** An error of who looks after a consumer. */
export class OperatorError extends LockstepError {
  constructor(code: OperatorErrorCode, what: string, options?: ErrorOptions) {
    super(code, what, options, OPERATOR_ERRORS[code]);
  }
}
