import { Stack } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';

/** Properties of {@link AlarmTopic}. */
export interface AlarmTopicProps {
  /** Who gets a mail. @default nobody */
  readonly email?: string;
  /**
   * An imported key's policy must let CloudWatch use it; the policy of a key that is made in the app is extended. @default
   * none: SNS encrypts with its own keys
   */
  readonly encryptionKey?: IKey;
}

/** The topic for alarms. Only CloudWatch of this account may publish, and only over TLS. */
export class AlarmTopic extends Topic {
  constructor(scope: Construct, id: string, { email, encryptionKey }: AlarmTopicProps = {}) {
    super(scope, id, { enforceSSL: true, ...(encryptionKey && { masterKey: encryptionKey }) });
    // A topic with its own policy loses the default one, which lets the account publish.
    this.grantPublish(
      new ServicePrincipal('cloudwatch.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    if (email !== undefined) this.addSubscription(new EmailSubscription(email));
  }
}
