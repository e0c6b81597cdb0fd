import { CfnOutput } from 'aws-cdk-lib';
import { Construct } from 'constructs';

/** Outputs by which tools find a consumer: `<Consumer><What>`, for example `OrdersMappingId`. */
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
}

/** A consumer's name for `lockstep --consumer`. */
export function commandName(consumerName: string): string {
  return consumerName.replaceAll(/[^A-Za-z0-9]/g, '');
}

/** Makes the outputs. Their names have no hash. */
export function consumerOutputs(scope: Construct, consumerName: string, facts: ConsumerFacts): void {
  const prefix = commandName(consumerName);
  const outputs = new Construct(scope, 'Outputs');
  for (const [name, value] of Object.entries(facts)) {
    if (value !== undefined) new CfnOutput(outputs, name, { value }).overrideLogicalId(`${prefix}${name}`);
  }
}
