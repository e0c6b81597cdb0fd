import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { CONSUMER_OUTPUT, type ConsumerFacts } from '../../shared/consumer-output.ts';

/** A consumer's name for `lockstep --consumer`. */
export function commandName(consumerName: string): string {
  return consumerName.replaceAll(/[^A-Za-z0-9]/g, '');
}

/** Makes the output. Its name has no hash. One for all facts: a stack has room for 200 outputs only. */
export function consumerOutput(scope: Construct, consumerName: string, facts: ConsumerFacts): void {
  const output = new CfnOutput(scope, 'Output', { value: Stack.of(scope).toJsonString(facts) });
  output.overrideLogicalId(`${commandName(consumerName)}${CONSUMER_OUTPUT}`);
}
