import { Duration, type RemovalPolicy, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

/** Properties of {@link ParkingQueue}. */
export interface ParkingQueueProps {
  /** @default a key owned by SQS */
  readonly encryptionKey?: IKey;
  readonly removalPolicy: RemovalPolicy;
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
}
