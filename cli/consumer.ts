import { CONSUMER_OUTPUT, type ConsumerFacts } from '../shared/consumer-output.ts';
import { OperatorError } from '../shared/operator-errors.ts';

/** A deployed consumer, from an output of its stack. */
export interface DeployedConsumer {
  /** The name for `--consumer`: `Orders`, or `Prod/Orders` where several of the given stacks have a consumer of that name. */
  readonly name: string;
  readonly stack: string;
  readonly mappingId: string;
  readonly topic: string;
  readonly group: string;
  readonly deadLetterTopic: string;
  readonly ledgerTable: string;
  /** As in the ledger's keys. */
  readonly cluster: string;
  readonly fallbackQueueUrl: string;
  readonly failureQueueUrl?: string;
  readonly operatorFunctionName?: string;
  readonly functionName?: string;
  /** How the names of its alarms begin; absent where the stack does not say. */
  readonly alarmPrefix?: string;
}

/** The consumers in a stack's outputs: `<Consumer>LockstepConsumer`. @throws LockstepError CLOUD_UNKNOWN */
export function consumersOf(outputs: Readonly<Record<string, string>>, stack = ''): DeployedConsumer[] {
  const names = Object.keys(outputs).flatMap((key) =>
    key.endsWith(CONSUMER_OUTPUT) ? key.slice(0, -CONSUMER_OUTPUT.length) : [],
  );
  return names.sort().map((name) => {
    const facts: Partial<ConsumerFacts> = JSON.parse(outputs[`${name}${CONSUMER_OUTPUT}`] ?? '{}');
    const required = (what: keyof ConsumerFacts) => {
      const value = facts[what];
      if (value === undefined)
        throw new OperatorError(
          'CLOUD_UNKNOWN',
          `the output ${name}${CONSUMER_OUTPUT} of its stack does not say ${what}: another version of Lockstep deployed it`,
        );
      return value;
    };
    const { FailureQueueUrl: failureQueueUrl, OperatorFunctionName: operatorFunctionName } = facts;
    const { FunctionName: functionName, AlarmPrefix: alarmPrefix } = facts;
    return {
      name,
      stack,
      mappingId: required('MappingId'),
      topic: required('Topic'),
      group: required('ConsumerGroup'),
      deadLetterTopic: required('DeadLetterTopic'),
      ledgerTable: required('LedgerTable'),
      cluster: required('ClusterId'),
      fallbackQueueUrl: required('FallbackQueueUrl'),
      ...(failureQueueUrl !== undefined && { failureQueueUrl }),
      ...(operatorFunctionName !== undefined && { operatorFunctionName }),
      ...(functionName !== undefined && { functionName }),
      ...(alarmPrefix !== undefined && { alarmPrefix }),
    };
  });
}

/** The consumers of several stacks. Equal names are prefixed with their stack. */
export function consumersOfAll(stacks: ReadonlyMap<string, Readonly<Record<string, string>>>): DeployedConsumer[] {
  const all = [...stacks].flatMap(([stack, outputs]) => consumersOf(outputs, stack));
  const isShared = (one: DeployedConsumer) => all.some(({ name, stack }) => name === one.name && stack !== one.stack);
  return all.map((one) => (isShared(one) ? { ...one, name: `${one.stack}/${one.name}` } : one));
}

/** The selected consumers: all, or the one with that name. @throws LockstepError CONSUMER_UNKNOWN */
export function chosen(consumers: readonly DeployedConsumer[], name: string | undefined): readonly DeployedConsumer[] {
  if (name === undefined) return consumers;
  const wanted = name.toLowerCase();
  const exact = consumers.filter((consumer) => consumer.name === name);
  const alike = consumers.filter(
    (consumer) => consumer.name.toLowerCase() === wanted || fullName(consumer).toLowerCase() === wanted,
  );
  // `Orders` of two stacks: both are selected. A command that needs one asks for the stack.
  const ofEach = consumers.filter((consumer) => consumer.name.split('/').at(-1)?.toLowerCase() === wanted);
  const found = [exact, alike, ofEach].find(({ length }) => length > 0);
  if (found !== undefined) return found;
  throw new OperatorError('CONSUMER_UNKNOWN', `there is no consumer ${name}; the consumers are: ${namesOf(consumers)}`);
}

/** The one selected consumer. @throws LockstepError CONSUMER_UNKNOWN where a name is needed and was not given */
export function oneConsumer(consumers: readonly DeployedConsumer[], name: string | undefined): DeployedConsumer {
  const [only, ...others] = chosen(consumers, name);
  if (only !== undefined && others.length === 0) return only;
  throw new OperatorError('CONSUMER_UNKNOWN', `expected --consumer with one of: ${namesOf(consumers)}`);
}

/**
 * The one selected consumer that reads the topic of a named record or partition. So a command changes only what its argument
 * names.
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
  throw new OperatorError('OPERATION_REFUSED', `none of the named consumers reads topic ${topic}: ${read}`);
}

function fullName({ stack, name }: DeployedConsumer): string {
  return name.includes('/') ? name : `${stack}/${name}`;
}

function namesOf(consumers: readonly DeployedConsumer[]): string {
  return consumers.map((one) => one.name).join(', ') || 'none';
}
