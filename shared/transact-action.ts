import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';

/** One action for `context.transact`: `Put`, `Update`, `Delete` or `ConditionCheck`, as the SDK has it. */
export type TransactAction = TransactWriteItem;
