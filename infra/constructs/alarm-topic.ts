import { Stack } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';

/** Where alarms go: only CloudWatch of this account may publish, over TLS. */
export class AlarmTopic extends Topic {
  constructor(scope: Construct, id: string, { email }: { readonly email?: string } = {}) {
    super(scope, id, { enforceSSL: true });
    // A topic with a policy of its own has lost the default one, which let the account publish.
    this.grantPublish(
      new ServicePrincipal('cloudwatch.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    if (email !== undefined) this.addSubscription(new EmailSubscription(email));
  }
}
