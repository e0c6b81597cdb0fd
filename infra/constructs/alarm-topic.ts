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
  /** An imported key's policy must let CloudWatch use it; that of a key made in the app is extended. @default none: SNS keeps texts of alarms without a key of yours */
  readonly encryptionKey?: IKey;
}

/** Where alarms go: only CloudWatch of this account may publish, over TLS. */
export class AlarmTopic extends Topic {
  constructor(scope: Construct, id: string, { email, encryptionKey }: AlarmTopicProps = {}) {
    super(scope, id, { enforceSSL: true, ...(encryptionKey && { masterKey: encryptionKey }) });
    // A topic with a policy of its own has lost the default one, which let the account publish.
    this.grantPublish(
      new ServicePrincipal('cloudwatch.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    if (email !== undefined) this.addSubscription(new EmailSubscription(email));
  }
}
