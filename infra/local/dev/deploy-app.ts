import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { LOCAL_CLUSTER_CONTEXT } from '../../constructs/local-cluster.ts';
import type { CloudDescription, ServersDescription } from '../cloud-description.ts';
import { runCdk } from '../deploy.ts';
import { type OpenStacksOptions, openStacks } from '../deploy-stacks.ts';
import { type Assembly, localAssembly } from './assembly.ts';
import type { CdkApp } from './cdk-app.ts';

export interface DeployAppOptions extends OpenStacksOptions {
  /** Further `-c name=value`. */
  readonly context?: Readonly<Record<string, string>>;
  /** Gets cdk's lines. */
  readonly onProgress?: (line: string) => void;
}

/** Runs `cdk synth` of an app as it is, but for the cluster: LockstepConsumer takes the local one. @throws LocalCloudError */
export async function synthesizeApp(
  app: CdkApp,
  { endpoint, clusterArn, bootstrapServers, runFolder }: ServersDescription,
  { context = {}, onProgress }: DeployAppOptions,
): Promise<Assembly> {
  const output = await mkdtemp(join(runFolder, 'cdk.out-'));
  const pairs = { ...context, [LOCAL_CLUSTER_CONTEXT]: JSON.stringify({ clusterArn, bootstrapServers }) };
  const values = Object.entries(pairs).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const command = app.command === undefined ? [] : ['--app', app.command];
  await runCdk(['synth', '--quiet', '--output', output, ...values, ...command], {
    endpoint,
    cdk: app.cdk,
    cwd: app.folder,
    // CDK's own check of templates against AWS's rules takes 3 s. `cdk synth` and `cdk deploy` of the user do it.
    environment: { CDK_VALIDATION: 'false' },
    ...(onProgress && { onProgress }),
  });
  return localAssembly(output, endpoint.region);
}

/**
 * Runs `cdk deploy` of the stacks that have a LockstepConsumer, with those that they depend on. Makes the topics that they name
 * and that do not exist yet.
 *
 * @throws LocalCloudError
 */
export async function deployApp(
  app: CdkApp,
  servers: ServersDescription,
  { folder, stacks }: Assembly,
  { onProgress, ...options }: DeployAppOptions,
): Promise<CloudDescription> {
  const names = stacks.map(({ displayName }) => displayName);
  const how = ['--app', folder, '--require-approval', 'never', '--progress', 'events', '--concurrency', '8'];
  await runCdk(['deploy', ...names, ...how], {
    endpoint: servers.endpoint,
    cdk: app.cdk,
    cwd: app.folder,
    ...(onProgress && { onProgress }),
  });
  return openStacks(
    servers,
    stacks.map(({ stackName }) => stackName),
    options,
  );
}
