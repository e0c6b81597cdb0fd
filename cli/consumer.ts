import { OperatorError } from '../shared/operator-errors.ts';

/** A deployed consumer, as its stack's outputs describe it. */
export interface DeployedConsumer {
  readonly name: string;
  readonly mappingId: string;
  readonly topic: string;
  readonly group: string;
  readonly deadLetterTopic: string;
  readonly ledgerTable: string;
  /** As the ledger's keys have it. */
  readonly cluster: string;
  readonly fallbackQueueUrl: string;
  readonly failureQueueUrl?: string;
  readonly operatorFunctionName?: string;
}

const ANCHOR = 'MappingId';

/** The consumers that outputs tell of: `<Consumer>MappingId` and its siblings. */
export function consumersOf(outputs: Readonly<Record<string, string>>): DeployedConsumer[] {
  const names = Object.keys(outputs).flatMap((key) => (key.endsWith(ANCHOR) ? key.slice(0, -ANCHOR.length) : []));
  return names.sort().map((name) => {
    const said = (what: string) => outputs[`${name}${what}`];
    const required = (what: string) => {
      const value = said(what);
      if (value === undefined)
        throw new OperatorError(
          'CLOUD_UNKNOWN',
          `the stack of ${name} has no output ${name}${what}: it was deployed by another version`,
        );
      return value;
    };
    const failureQueueUrl = said('FailureQueueUrl');
    const operatorFunctionName = said('OperatorFunctionName');
    return {
      name,
      mappingId: required(ANCHOR),
      topic: required('Topic'),
      group: required('ConsumerGroup'),
      deadLetterTopic: required('DeadLetterTopic'),
      ledgerTable: required('LedgerTable'),
      cluster: required('ClusterId'),
      fallbackQueueUrl: required('FallbackQueueUrl'),
      ...(failureQueueUrl !== undefined && { failureQueueUrl }),
      ...(operatorFunctionName !== undefined && { operatorFunctionName }),
    };
  });
}

/** The consumers that are meant: all, or the one of that name. @throws LockstepError CONSUMER_UNKNOWN */
export function chosen(consumers: readonly DeployedConsumer[], name: string | undefined): readonly DeployedConsumer[] {
  if (name === undefined) return consumers;
  const found = consumers.filter((consumer) => consumer.name.toLowerCase() === name.toLowerCase());
  if (found.length > 0) return found;
  throw new OperatorError(
    'CONSUMER_UNKNOWN',
    `no consumer is called ${name}; there are: ${consumers.map((one) => one.name).join(', ') || 'none'}`,
  );
}

/** The one consumer that is meant. @throws LockstepError CONSUMER_UNKNOWN where the name is needed and was not given */
export function oneConsumer(consumers: readonly DeployedConsumer[], name: string | undefined): DeployedConsumer {
  const [only, ...others] = chosen(consumers, name);
  if (only !== undefined && others.length === 0) return only;
  throw new OperatorError(
    'CONSUMER_UNKNOWN',
    `expected --consumer with one of: ${consumers.map((one) => one.name).join(', ') || 'none'}`,
  );
}
