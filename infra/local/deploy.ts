import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { devNull } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { LocalCloudError } from './local-cloud-error.ts';
import { endpointEnvironment, LOCAL_ACCOUNT, type LocalEndpoint } from './local-endpoint.ts';
import { REPOSITORY } from './local-folder.ts';
import { fields } from './stack-template.ts';

/** The repository's own. */
const CDK = join(REPOSITORY, 'node_modules/aws-cdk/bin/cdk');
/** Most of a deployment is waiting, so several run at once. */
const STACKS_AT_ONCE = 8;
/** How many lines of cdk's output an error repeats. */
const LAST_LINES = 15;
const CAUSES = 5;

export interface DeployOptions {
  readonly endpoint: LocalEndpoint;
  /** Where the synthesized templates go. */
  readonly runFolder: string;
  /** Each `-c name=value`. */
  readonly context: Readonly<Record<string, string>>;
  /** Command of a CDK app other than the one of cdk.json. */
  readonly app?: string;
  /** Gets each line that cdk prints. */
  readonly onProgress?: (line: string) => void;
}

/**
 * Runs `cdk bootstrap` against the local cloud: needed once before the first deployment.
 *
 * @throws LocalCloudError with cdk's last lines if it fails
 */
export async function bootstrap(options: CdkOptions & Pick<DeployOptions, 'runFolder'>): Promise<void> {
  // Run in a folder without cdk.json: otherwise cdk would run the app, which bootstrap does not need.
  const target = `aws://${LOCAL_ACCOUNT}/${options.endpoint.region}`;
  await runCdk(['bootstrap', target], { ...options, cwd: options.runFolder });
}

/**
 * Runs `cdk deploy` of all stacks of an app against the local cloud, as against AWS; again to deploy what has changed.
 *
 * @returns the stacks' names
 * @throws LocalCloudError with cdk's last lines if it fails
 */
export async function deploy(options: DeployOptions): Promise<string[]> {
  const context = Object.entries(options.context).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const app = options.app === undefined ? [] : ['--app', options.app];
  // Its own output folder, so that two deployments may run at once.
  const assembly = await mkdtemp(join(options.runFolder, 'cdk.out-'));
  const output = ['--output', assembly, '--progress', 'events', '--concurrency', String(STACKS_AT_ONCE)];
  await runCdk(['deploy', '--all', '--require-approval', 'never', ...context, ...app, ...output], options);
  const manifest = fields(JSON.parse(await readFile(join(assembly, 'manifest.json'), 'utf8')));
  return Object.values(fields(manifest['artifacts']))
    .map(fields)
    .filter(({ type }) => type === 'aws:cloudformation:stack')
    .map(({ displayName, properties }) => String(fields(properties)['stackName'] ?? displayName));
}

export interface CdkOptions extends Pick<DeployOptions, 'endpoint' | 'onProgress'> {
  /** @default the repository */
  readonly cwd?: string;
  /** File of the `cdk` command. @default the repository's */
  readonly cdk?: string;
  /** Further environment variables. */
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Runs a cdk command against the local cloud, and never against AWS: it gets no AWS settings but those of the local cloud.
 *
 * @throws LocalCloudError with what cdk says is wrong
 */
export async function runCdk(
  args: readonly string[],
  { endpoint, onProgress, cwd = REPOSITORY, cdk = CDK, environment }: CdkOptions,
): Promise<void> {
  if (!existsSync(cdk)) throw new LocalCloudError('cdk is missing from node_modules. Run: npm ci');
  const common = ['--ci', '--no-color', '--no-notices'];
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'));
  const running = spawn(process.execPath, [cdk, ...args, ...common], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...Object.fromEntries(others),
      ...endpointEnvironment(endpoint),
      AWS_CONFIG_FILE: devNull,
      AWS_SHARED_CREDENTIALS_FILE: devNull,
      PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
      CDK_DISABLE_CLI_TELEMETRY: '1',
      ...environment,
    },
  });
  const lines: string[] = [];
  for (const stream of [running.stdout, running.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      if (line.trim() === '') return;
      lines.push(line);
      onProgress?.(line);
    });
  }
  const [code] = await once(running, 'close');
  if (code !== 0) throw new LocalCloudError(`cdk ${args[0]} failed:\n${causeOf(lines).join('\n')}`);
}

/** The compiler's, esbuild's or the app's own error, where there is one: what cdk says after it is of no use. */
function causeOf(lines: readonly string[]): readonly string[] {
  const causes = lines.filter((line) => /: error TS\d+:|: ERROR: |^\w*Error: |^RefusalError|^LOCKSTEP_\w+/.test(line));
  return causes.length > 0 ? causes.slice(0, CAUSES) : lines.slice(-LAST_LINES);
}
