import { Duration, type RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

/** Properties of {@link ParkingQueue}. */
export interface ParkingQueueProps {
  /** @default a key owned by SQS */
  readonly encryptionKey?: IKey;
  readonly removalPolicy: RemovalPolicy;
}

/** The roles that may use the records of a queue. All others in the account are denied, whatever their own policies say. */
export interface QueueUsers {
  readonly senders: readonly IRole[];
  /**
   * The roles that may receive and delete. @default every principal with the permission: without a relay a person empties the
   * queue
   */
  readonly receivers?: readonly IRole[];
}

/**
 * A queue in which records wait for the relay or for a person: encrypted, TLS only, with the longest retention of SQS (14
 * days).
 */
export class ParkingQueue extends Queue {
  constructor(scope: Construct, id: string, { encryptionKey, removalPolicy }: ParkingQueueProps) {
    super(scope, id, {
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      // Six times the relay's timeout. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
      visibilityTimeout: Duration.minutes(6),
      removalPolicy,
      ...(encryptionKey ? { encryptionMasterKey: encryptionKey } : { encryption: QueueEncryption.SQS_MANAGED }),
    });
    Validations.of(this).acknowledge({
      id: 'AwsSolutions::AwsSolutions-SQS3',
      reason:
        'This queue is the last place for records that nothing else accepts. What the relay cannot move stays here, with an alarm.',
    });
  }
  /**
   * Denies everyone else what these roles may do: with a forged message somebody could dead-letter records that were never
   * tried.
   */
  reserveFor({ senders, receivers }: QueueUsers): void {
    this.denyUnless(senders, 'OnlyLockstepSends', ['sqs:SendMessage']);
    if (receivers !== undefined) {
      const actions = ['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:PurgeQueue', 'sqs:ReceiveMessage'];
      this.denyUnless(receivers, 'OnlyTheRelayTakes', actions);
    }
  }

  /**
   * The condition key has the role's ARN for each of its sessions.
   * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
   */
  private denyUnless(roles: readonly IRole[], sid: string, actions: string[]): void {
    this.addToResourcePolicy(
      new PolicyStatement({
        sid,
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions,
        resources: [this.queueArn],
        conditions: { ArnNotEquals: { 'aws:PrincipalArn': roles.map(({ roleArn }) => roleArn) } },
      }),
    );
  }
}
