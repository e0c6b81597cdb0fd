import {
  CloudFormationClient,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  GetTemplateCommand,
} from '@aws-sdk/client-cloudformation';
import { GetFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { type ConsumerFacts, consumerFacts } from './deployed-consumer-facts.ts';
import type { Mapping } from './event-source/mapping.ts';
import { clientConfig, type LocalEndpoint } from './local-endpoint.ts';
import { mappingOfTemplate } from './mapping-of-template.ts';
import { type StackTemplate, stackTemplate } from './stack-template.ts';

/** A deployed function. */
export interface DeployedFunction {
  /** The consumer's name, or else its logical id. */
  readonly name: string;
  readonly functionName: string;
  readonly functionArn: string;
  readonly roleArn: string;
  readonly logGroup: string;
  readonly timeoutSeconds: number;
  readonly environment: Readonly<Record<string, string>>;
}

/** A function with its mapping and topics. */
export interface DeployedConsumer extends ConsumerFacts {
  readonly name: string;
  readonly function: DeployedFunction;
  readonly mapping: Mapping;
}

/** A deployed queue. */
export interface DeployedQueue {
  readonly queueName: string;
  readonly queueUrl: string;
}

/** Everything that the stacks describe. Plain data. */
export interface Deployed {
  readonly queues: readonly DeployedQueue[];
  readonly functions: readonly DeployedFunction[];
  readonly consumers: readonly DeployedConsumer[];
  /** Of all stacks, by their names. */
  readonly outputs: Readonly<Record<string, string>>;
}

/**
 * Reads what is deployed from the stacks, because MiniStack's Lambda API omits a mapping's topics, group and pollers.
 *
 * @param stackNames - of the stacks to read
 * @throws if a template has a property that this code does not understand; the text names the property
 */
export async function readDeployed(endpoint: LocalEndpoint, stackNames: readonly string[]): Promise<Deployed> {
  const cloudformation = new CloudFormationClient(clientConfig(endpoint));
  const lambda = new LambdaClient(clientConfig(endpoint));
  try {
    const parts = await Promise.all(
      stackNames.map(async (name) => readStack(await template(cloudformation, name), lambda)),
    );
    const outputs = await Promise.all(stackNames.map((name) => readOutputs(cloudformation, name)));
    return {
      functions: parts.flatMap(({ functions }) => functions),
      queues: parts.flatMap(({ queues }) => queues),
      consumers: parts.flatMap(({ consumers }) => consumers),
      outputs: Object.fromEntries(outputs.flat()),
    };
  } finally {
    cloudformation.destroy();
    lambda.destroy();
  }
}

async function readOutputs(cloudformation: CloudFormationClient, StackName: string): Promise<[string, string][]> {
  const { Stacks: [stack] = [] } = await cloudformation.send(new DescribeStacksCommand({ StackName }));
  return (stack?.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]);
}

async function template(cloudformation: CloudFormationClient, StackName: string): Promise<StackTemplate> {
  const [body, resources] = await Promise.all([
    cloudformation.send(new GetTemplateCommand({ StackName })),
    cloudformation.send(new DescribeStackResourcesCommand({ StackName })),
  ]);
  return stackTemplate(body.TemplateBody ?? '{}', resources.StackResources ?? []);
}

async function readStack(stack: StackTemplate, lambda: LambdaClient): Promise<Omit<Deployed, 'outputs'>> {
  const functions = await Promise.all(
    stack
      .resources('AWS::Lambda::Function')
      .map(({ logicalId, physicalId }) => readFunction(lambda, logicalId, physicalId)),
  );
  // MiniStack itself polls mappings of other sources (queues).
  const kafkaMappings = stack
    .resources('AWS::Lambda::EventSourceMapping')
    .filter(({ properties }) => properties['Topics'] !== undefined);
  const consumers = kafkaMappings.map((resource): DeployedConsumer => {
    const target = stack.resolve(resource.properties['FunctionName']);
    // An alias is the function's ARN with a name after it.
    const own = functions.find(
      ({ functionName, functionArn }) =>
        [functionName, functionArn].includes(target) || target.startsWith(`${functionArn}:`),
    );
    if (own === undefined) throw new Error(`Mapping ${resource.logicalId} is for ${target}, which no stack has.`);
    const mapping = mappingOfTemplate(stack, resource, own.functionArn);
    const facts = consumerFacts(resource.metadata, mapping, own);
    return { ...facts, function: { ...own, name: facts.name }, mapping };
  });
  const named = functions.map(
    (one) => consumers.find(({ function: own }) => own.functionArn === one.functionArn)?.function,
  );
  const queues = stack.resources('AWS::SQS::Queue').map(({ physicalId: queueUrl }) => ({
    queueUrl,
    queueName: queueUrl.slice(queueUrl.lastIndexOf('/') + 1),
  }));
  return { functions: functions.map((one, index) => named[index] ?? one), consumers, queues };
}

async function readFunction(lambda: LambdaClient, logicalId: string, physicalId: string): Promise<DeployedFunction> {
  const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName: physicalId }));
  const {
    FunctionName: functionName = physicalId,
    FunctionArn: functionArn = '',
    Role: roleArn = '',
  } = Configuration ?? {};
  return {
    name: logicalId,
    functionName,
    functionArn,
    roleArn,
    logGroup: Configuration?.LoggingConfig?.LogGroup ?? `/aws/lambda/${functionName}`,
    timeoutSeconds: Configuration?.Timeout ?? 3,
    environment: Configuration?.Environment?.Variables ?? {},
  };
}
