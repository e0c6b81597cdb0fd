import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';

/** One action for `context.transact`: `Put`, `Update`, `Delete` or `ConditionCheck`, in the SDK's own type. */
export type TransactAction = TransactWriteItem;
