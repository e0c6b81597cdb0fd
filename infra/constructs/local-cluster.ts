import { CfnResource, Stack, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import * as v from 'valibot';
import type { KafkaCluster } from './kafka-cluster.ts';

/** The context value with which `lockstep dev` deploys an app: the cluster on this machine, as {@link LocalCluster} in JSON. */
export const LOCAL_CLUSTER_CONTEXT = 'lockstep:local-cluster';

const Local = v.strictObject({ clusterArn: v.string(), bootstrapServers: v.string() });

/** A cluster that `lockstep dev` uses: its ARN in the emulated MSK API, and its brokers, without TLS. */
export type LocalCluster = v.InferOutput<typeof Local>;

/** The local cluster where `lockstep dev` runs the app; `undefined` otherwise. */
export function localCluster(scope: Construct): LocalCluster | undefined {
  const given: unknown = scope.node.tryGetContext(LOCAL_CLUSTER_CONTEXT);
  if (given === undefined) return undefined;
  const parsed = v.safeParse(Local, typeof given === 'string' ? parsedJson(given) : given);
  if (!parsed.success)
    throw new Error(
      `The context value ${LOCAL_CLUSTER_CONTEXT} is for \`lockstep dev\`, and is not as it writes it. Remove it from cdk.json and from the command line.`,
    );
  return parsed.output;
}

/**
 * The cluster of an app, or the local one where `lockstep dev` runs the app. That one is where the stack is: `lockstep dev` moves the
 * stack, and with it the cluster's ARN, to the account and region of the local cloud.
 */
export function clusterHere(scope: Construct, cluster: KafkaCluster): KafkaCluster {
  const local = localCluster(scope);
  if (local === undefined) return cluster;
  const { region, account } = Stack.of(scope);
  const [arn, partition, service, localRegion, localAccount, ...name] = local.clusterArn.split(':');
  const place = [
    Token.isUnresolved(region) ? localRegion : region,
    Token.isUnresolved(account) ? localAccount : account,
  ];
  const clusterArn = [arn, partition, service, ...place, ...name].join(':');
  return { clusterArn, bootstrapServers: local.bootstrapServers, auth: 'none', topics: 'elsewhere' };
}

/**
 * What an app was given, unless it is imported and `lockstep dev` runs the app: the local cloud does not have what the app itself
 * does not make.
 */
export function thatIsHere<T>(scope: Construct, given: T | undefined): T | undefined {
  if (localCluster(scope) === undefined) return given;
  return given instanceof Construct && CfnResource.isCfnResource(given.node.defaultChild) ? given : undefined;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
