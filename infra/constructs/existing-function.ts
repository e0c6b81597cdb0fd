import type { IRole, Policy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Alias, type CfnFunction, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { LockstepConsumerProps } from './consumer-props.ts';
import { permissionsOf } from './permissions.ts';

/** A function of the app to which the construct adds the mapping, the environment and the permissions. */
export interface ExistingFunction {
  /** What is invoked: the function, or an alias of it. */
  readonly target: LambdaFunction | Alias;
  /** Absent where it is not made in this app: then its environment cannot be set. */
  readonly function?: LambdaFunction;
  /** Properties of the consumer that a function which exists already does not take. */
  readonly ignored: readonly string[];
}

/** Lambda's own default. */
const DEFAULT_TIMEOUT_SECONDS = 3;

const OF_A_NEW_FUNCTION = [
  'entry',
  'handlerExport',
  'timeout',
  'memoryMiB',
  'environment',
  'logRetention',
  'tracing',
  'functionProps',
  'bundling',
  'role',
] as const satisfies readonly (keyof LockstepConsumerProps)[];

/** What is known of `function`; `undefined` where the construct makes the function. */
export function existingFunction(props: LockstepConsumerProps): ExistingFunction | undefined {
  const { function: target } = props;
  if (target === undefined) return undefined;
  const itself = target instanceof Alias ? target.lambda : target;
  return {
    target,
    ...(itself instanceof LambdaFunction && { function: itself }),
    ignored: OF_A_NEW_FUNCTION.filter((name) => props[name] !== undefined),
  };
}

/** Settings that make a function impossible as a consumer, or stand still. They are the function's own here. */
export function settingsOf(itself: LambdaFunction): {
  reservedConcurrency: number | undefined;
  functionProps: string[];
} {
  const resource = itself.node.defaultChild as CfnFunction;
  const names = ['tenancyConfig', 'durableConfig', 'capacityProviderConfig'] as const;
  return {
    reservedConcurrency: resource.reservedConcurrentExecutions,
    functionProps: names.filter((name) => resource[name] !== undefined),
  };
}

/** Seconds. */
export function timeoutOf({ timeout }: LambdaFunction): number {
  return timeout?.toSeconds() ?? DEFAULT_TIMEOUT_SECONDS;
}

/** Gives a function of the app what a consumer's function has: its environment and its permissions. */
export class AdoptedFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: IRole;
  readonly permissions: Policy;
  readonly logGroupName: string;

  constructor(
    scope: Construct,
    id: string,
    itself: LambdaFunction,
    environment: Readonly<Record<string, string>>,
    statements: PolicyStatement[],
  ) {
    super(scope, id);
    this.function = itself;
    // CDK gives each function that it makes a role.
    this.role = itself.role as IRole;
    this.permissions = permissionsOf(this, this.role, statements, itself.isBoundToVpc);
    for (const [name, value] of Object.entries(environment)) itself.addEnvironment(name, value);
    const { loggingConfig } = itself.node.defaultChild as CfnFunction;
    const { logGroup } = Object(loggingConfig) as CfnFunction.LoggingConfigProperty;
    this.logGroupName = logGroup ?? `/aws/lambda/${itself.functionName}`;
  }
}
