import { CfnOutput } from 'aws-cdk-lib';
import { Construct } from 'constructs';

/** What tools find a consumer by: outputs `<Consumer><What>`, as `OrdersMappingId`. */
export interface ConsumerFacts {
  readonly FunctionName: string;
  readonly MappingId: string;
  readonly Topic: string;
  readonly ConsumerGroup: string;
  readonly DeadLetterTopic: string;
  readonly FallbackQueueUrl: string;
  readonly FailureQueueUrl?: string;
  readonly LedgerTable: string;
  /** As the ledger's keys have it. */
  readonly ClusterId: string;
  readonly RelayFunctionName?: string;
  readonly OperatorFunctionName?: string;
}

/** A consumer's name as `lockstep --consumer` takes it. */
export function commandName(consumerName: string): string {
  return consumerName.replaceAll(/[^A-Za-z0-9]/g, '');
}

/** Makes the outputs; their names carry no hash. */
export function consumerOutputs(scope: Construct, consumerName: string, facts: ConsumerFacts): void {
  const prefix = commandName(consumerName);
  const outputs = new Construct(scope, 'Outputs');
  for (const [name, value] of Object.entries(facts)) {
    if (value !== undefined) new CfnOutput(outputs, name, { value }).overrideLogicalId(`${prefix}${name}`);
  }
}
