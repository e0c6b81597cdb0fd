import { lockstepOperator } from '../../shared/operator/lockstep-operator.ts';

export const handler = lockstepOperator(async () => {
  const { connectOperator } = await import('../../shared/operator/connect-operator.ts');
  return connectOperator();
});
