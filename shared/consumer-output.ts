/** Ends the name of the output by which tools find a consumer: `OrdersLockstepConsumer`. Its value is {@link ConsumerFacts} as JSON. */
export const CONSUMER_OUTPUT = 'LockstepConsumer';

/** Where everything of a deployed consumer is. */
export interface ConsumerFacts {
  readonly FunctionName: string;
  readonly MappingId: string;
  readonly Topic: string;
  readonly ConsumerGroup: string;
  readonly DeadLetterTopic: string;
  readonly FallbackQueueUrl: string;
  readonly FailureQueueUrl?: string;
  readonly LedgerTable: string;
  /** As in the ledger's keys. */
  readonly ClusterId: string;
  readonly RelayFunctionName?: string;
  readonly OperatorFunctionName?: string;
  /** How the names of its alarms begin. Stacks of an earlier version do not say it. */
  readonly AlarmPrefix?: string;
}
