import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalCloudError } from '../local-cloud-error.ts';
import { LOCAL_ACCOUNT } from '../local-endpoint.ts';
import { type Fields, fields } from '../stack-template.ts';

/** What `cdk synth` wrote, as far as the local cloud needs it. */
export interface Assembly {
  readonly folder: string;
  /** Those with a LockstepConsumer. */
  readonly stacks: readonly { readonly displayName: string; readonly stackName: string }[];
  /** Names of the consumers. */
  readonly consumers: readonly string[];
  /** Changes with any template or asset. */
  readonly fingerprint: string;
}

/**
 * Reads an assembly, and puts the local cloud's account and region in place of those that its stacks name.
 *
 * @param folder - only for this run
 * @throws LocalCloudError where no stack has a LockstepConsumer
 */
export async function localAssembly(folder: string, region: string): Promise<Assembly> {
  const manifests = await manifestsIn(folder);
  await moveHere(manifests, region);
  const stacks = await Promise.all(manifests.flatMap(({ folder: place, artifacts }) => stacksOf(place, artifacts)));
  const consumers = stacks.flatMap((stack) => stack.consumers);
  if (consumers.length === 0)
    throw new LocalCloudError(
      'The app has no LockstepConsumer, so there is nothing to run. Add one to a stack: the README shows how.',
    );
  const fingerprint = createHash('sha256');
  for (const { template } of stacks) fingerprint.update(template);
  return {
    folder,
    stacks: stacks.filter((stack) => stack.consumers.length > 0),
    consumers: consumers.map(({ consumerName }) => String(consumerName)),
    fingerprint: fingerprint.digest('hex'),
  };
}

interface Manifest {
  readonly folder: string;
  readonly artifacts: readonly Fields[];
}

/** The assembly's, and those of its stages. */
async function manifestsIn(folder: string): Promise<Manifest[]> {
  const manifest = fields(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')));
  const artifacts = Object.values(fields(manifest['artifacts'])).map(fields);
  const nested = artifacts.filter(({ type }) => type === 'cdk:cloud-assembly');
  const inside = nested.map(({ properties }) => manifestsIn(join(folder, String(fields(properties)['directoryName']))));
  return [{ folder, artifacts }, ...(await Promise.all(inside)).flat()];
}

async function moveHere(manifests: readonly Manifest[], region: string): Promise<void> {
  const targets = manifests.flatMap(({ artifacts }) =>
    artifacts.flatMap(({ environment }) => /^aws:\/\/([^/]+)\/(.+)$/.exec(String(environment))?.slice(1, 3) ?? []),
  );
  const foreign = targets.filter((name) => !name.startsWith('unknown-') && name !== LOCAL_ACCOUNT && name !== region);
  if (foreign.length === 0) return;
  for (const { folder } of manifests)
    for (const file of (await readdir(folder)).filter((name) => name.endsWith('.json'))) {
      let text = await readFile(join(folder, file), 'utf8');
      for (const name of new Set(foreign)) text = text.replaceAll(name, /^\d+$/.test(name) ? LOCAL_ACCOUNT : region);
      await writeFile(join(folder, file), text);
    }
}

interface Stack {
  readonly displayName: string;
  readonly stackName: string;
  readonly template: string;
  /** What LockstepConsumer noted beside each mapping. */
  readonly consumers: readonly Fields[];
}

function stacksOf(folder: string, artifacts: readonly Fields[]): Promise<Stack>[] {
  const stacks = artifacts.filter(({ type }) => type === 'aws:cloudformation:stack');
  return stacks.map(async ({ displayName, properties }) => {
    const { stackName = displayName, templateFile } = fields(properties);
    const template = await readFile(join(folder, String(templateFile)), 'utf8');
    const resources = Object.values(fields(fields(JSON.parse(template))['Resources'])).map(fields);
    const consumers = resources
      .map(({ Metadata }) => fields(Metadata)['Lockstep'])
      .filter((noted) => noted !== undefined);
    return {
      displayName: String(displayName),
      stackName: String(stackName),
      template,
      consumers: consumers.map(fields),
    };
  });
}
