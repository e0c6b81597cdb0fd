import { OperatorError } from '../shared/operator-errors.ts';

/** A deployed consumer, as its stack's outputs describe it. */
export interface DeployedConsumer {
  /** As `--consumer` takes it: `Orders`, or `Prod/Orders` where stacks that were asked for have one of the same name. */
  readonly name: string;
  readonly stack: string;
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

/** The consumers that a stack's outputs tell of: `<Consumer>MappingId` and its siblings. @throws LockstepError CLOUD_UNKNOWN */
export function consumersOf(outputs: Readonly<Record<string, string>>, stack = ''): DeployedConsumer[] {
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
      stack,
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

/** The consumers of several stacks; those of one name are told apart by their stack. */
export function consumersOfAll(stacks: ReadonlyMap<string, Readonly<Record<string, string>>>): DeployedConsumer[] {
  const all = [...stacks].flatMap(([stack, outputs]) => consumersOf(outputs, stack));
  const isShared = (one: DeployedConsumer) => all.some(({ name, stack }) => name === one.name && stack !== one.stack);
  return all.map((one) => (isShared(one) ? { ...one, name: `${one.stack}/${one.name}` } : one));
}

/** The consumers that are meant: all, or the one of that name. @throws LockstepError CONSUMER_UNKNOWN */
export function chosen(consumers: readonly DeployedConsumer[], name: string | undefined): readonly DeployedConsumer[] {
  if (name === undefined) return consumers;
  const wanted = name.toLowerCase();
  const exact = consumers.filter((consumer) => consumer.name === name);
  const alike = consumers.filter(
    (consumer) => consumer.name.toLowerCase() === wanted || fullName(consumer).toLowerCase() === wanted,
  );
  // `Orders` of two stacks: both are meant, and whoever needs one asks which.
  const ofEach = consumers.filter((consumer) => consumer.name.split('/').at(-1)?.toLowerCase() === wanted);
  const found = [exact, alike, ofEach].find(({ length }) => length > 0);
  if (found !== undefined) return found;
  throw new OperatorError('CONSUMER_UNKNOWN', `no consumer is called ${name}; there are: ${namesOf(consumers)}`);
}

/** The one consumer that is meant. @throws LockstepError CONSUMER_UNKNOWN where the name is needed and was not given */
export function oneConsumer(consumers: readonly DeployedConsumer[], name: string | undefined): DeployedConsumer {
  const [only, ...others] = chosen(consumers, name);
  if (only !== undefined && others.length === 0) return only;
  throw new OperatorError('CONSUMER_UNKNOWN', `expected --consumer with one of: ${namesOf(consumers)}`);
}

/**
 * The one consumer of that topic, which a record or a partition names, among those that are meant: what is named must be what is
 * changed.
 *
 * @throws LockstepError CONSUMER_UNKNOWN, or OPERATION_REFUSED where the named consumer reads another topic
 */
export function consumerOfTopic(
  consumers: readonly DeployedConsumer[],
  name: string | undefined,
  topic: string,
): DeployedConsumer {
  const meant = chosen(consumers, name);
  const reading = meant.filter((consumer) => consumer.topic === topic);
  if (reading.length > 0) return oneConsumer(reading, undefined);
  const read = meant.map((consumer) => `${consumer.name} reads ${consumer.topic}`).join(', ') || 'there are none';
  throw new OperatorError('OPERATION_REFUSED', `no consumer that is meant reads topic ${topic}: ${read}`);
}

function fullName({ stack, name }: DeployedConsumer): string {
  return name.includes('/') ? name : `${stack}/${name}`;
}

function namesOf(consumers: readonly DeployedConsumer[]): string {
  return consumers.map((one) => one.name).join(', ') || 'none';
}
