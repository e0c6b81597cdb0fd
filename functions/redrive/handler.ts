import { connectOperator } from '../../shared/operator/connect-operator.ts';
import { lockstepOperator } from '../../shared/operator/lockstep-operator.ts';

export const handler = lockstepOperator(connectOperator);
