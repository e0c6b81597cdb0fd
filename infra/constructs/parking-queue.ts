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

/** Who may use the records of a queue; everybody else of the account is denied, whatever their own policies say. */
export interface QueueUsers {
  readonly senders: readonly IRole[];
  /** Who may receive and delete. @default whoever has the right: without a relay a person empties the queue */
  readonly receivers?: readonly IRole[];
}

/** A queue in which records wait for the relay or for a person: encrypted, TLS only, as long as SQS keeps anything (14 days). */
export class ParkingQueue extends Queue {
  constructor(scope: Construct, id: string, { encryptionKey, removalPolicy }: ParkingQueueProps) {
    super(scope, id, {
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      // Six times what the relay may take. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
      visibilityTimeout: Duration.minutes(6),
      removalPolicy,
      ...(encryptionKey
        ? { encryption: QueueEncryption.KMS, encryptionMasterKey: encryptionKey }
        : { encryption: QueueEncryption.SQS_MANAGED }),
    });
    Validations.of(this).acknowledge({
      id: 'AwsSolutions::AwsSolutions-SQS3',
      reason:
        'This is where records go when nothing else takes them; what the relay cannot place stays here, with an alarm.',
    });
  }
  /** Denies everybody else what these roles may do: whoever could send an entry could dead-letter records that nobody tried. */
  reserveFor({ senders, receivers }: QueueUsers): void {
    this.denyUnless(senders, 'OnlyLockstepSends', ['sqs:SendMessage']);
    if (receivers !== undefined) {
      const actions = ['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:PurgeQueue', 'sqs:ReceiveMessage'];
      this.denyUnless(receivers, 'OnlyTheRelayTakes', actions);
    }
  }

  /** The key is the role's ARN for each of its sessions. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn */
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
