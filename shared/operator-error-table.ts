import type { ErrorKind } from './error-kind.ts';

/** A code of {@link OPERATOR_ERRORS}. The codes are stable. */
export type OperatorErrorCode =
  | 'RECORD_ABANDONED'
  | 'RECORD_UNDELIVERABLE'
  | 'RELAY_ENTRY_UNREADABLE'
  | 'RELAY_ENTRY_FOREIGN'
  | 'RELAY_ENTRY_NOT_DUE'
  | 'RELAY_MUST_WAIT'
  | 'PARTITION_HELD'
  | 'OPERATION_REFUSED'
  | 'OPERATOR_REQUEST_INVALID'
  | 'OPERATOR_MAY_ONLY_LOOK'
  | 'COMMAND_LINE_INVALID'
  | 'REDRIVE_FENCED'
  | 'REDRIVE_FAILED'
  | 'RELEASE_FAILED'
  | 'CONSUMER_UNKNOWN'
  | 'CLOUD_UNKNOWN'
  | 'OPERATOR_FAILED';

/** Every error of the relay, the redrive, the operator function and its commands. */
export const OPERATOR_ERRORS: Readonly<Record<OperatorErrorCode, ErrorKind>> = {
  RECORD_ABANDONED: {
    retryable: false,
    hint: 'Lambda did not deliver the record again after a failed batch, so the relay dead-lettered it. Redrive it. If this happens often, open a support case with AWS that names the mapping.',
  },
  RECORD_UNDELIVERABLE: {
    retryable: false,
    hint: 'Lambda gave up on the record and sent it to the failure queue. Correct the cause that the condition names (size, schema, a function that cannot start), then redrive.',
  },
  RELAY_ENTRY_UNREADABLE: {
    retryable: true,
    hint: 'Lockstep wrote it, in a form that this version does not know. It stays in the queue: deploy the version that wrote it.',
  },
  RELAY_ENTRY_FOREIGN: {
    retryable: true,
    hint: 'Neither this stack nor Lambda wrote it, or it is about another topic, group or cluster. Nothing is done with it, and SQS deletes it after 14 days. The log line names its sender: take the right to send from whoever that is.',
  },
  RELAY_ENTRY_NOT_DUE: {
    retryable: true,
    hint: 'Nothing is done with it, and SQS deletes it after 14 days. If the ledger of the partition was lost meanwhile, read the offsets back with `lockstep replay`; if not, somebody has sent an old entry again.',
  },
  RELAY_MUST_WAIT: {
    retryable: true,
    hint: 'This is not a fault. The message stays in the queue and is tried again.',
  },
  PARTITION_HELD: {
    retryable: true,
    hint: 'Pause the consumer with `lockstep pause`, or wait until the lease has ended. --force takes the partition away from the invocation; its records then run again.',
  },
  OPERATION_REFUSED: {
    retryable: false,
    hint: 'Nothing was changed. `lockstep status` and `lockstep blocked` show what the ledger knows.',
  },
  RELEASE_FAILED: {
    retryable: true,
    hint: 'Nothing is lost: what was not handled stays parked. See the log of the consumer function, and release the key again.',
  },
  OPERATOR_REQUEST_INVALID: {
    retryable: false,
    hint: 'Use the `lockstep` command of the deployed version, or correct the request.',
  },
  OPERATOR_MAY_ONLY_LOOK: {
    retryable: false,
    hint: 'Nothing was changed. Ask for the right to invoke the operator function itself: `consumer.grantOperator(principal)`.',
  },
  COMMAND_LINE_INVALID: {
    retryable: false,
    hint: 'Nothing was changed. Run the command with --help to see its options and an example.',
  },
  REDRIVE_FENCED: {
    retryable: true,
    hint: 'Another redrive of this dead-letter topic has started. Records that were committed before stay redriven. Wait until the other redrive has ended, then start again: nothing is redriven twice.',
  },
  REDRIVE_FAILED: {
    retryable: true,
    hint: 'The last transaction was not confirmed. Run the same command again: it goes on where it stopped, and redrives nothing twice.',
  },
  CONSUMER_UNKNOWN: {
    retryable: false,
    hint: 'Name a consumer that `lockstep status` lists with --consumer, and its stack with --stack.',
  },
  CLOUD_UNKNOWN: {
    retryable: false,
    hint: 'With --local, start the local cloud of your app first (npx lockstep dev), and stay in its folder. Otherwise name the deployed stack with --stack. Credentials and region are those of the aws command.',
  },
  OPERATOR_FAILED: {
    retryable: true,
    hint: 'See the log of the operator function.',
  },
};
