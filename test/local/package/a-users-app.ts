import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { REPOSITORY } from '../../../infra/local/local-folder.ts';

const run = promisify(execFile);

/** A project outside the repository: nothing of ours is found there but what is installed. */
export interface UsersApp extends AsyncDisposable {
  readonly folder: string;
  /** The environment of its user's shell. */
  environment(): NodeJS.ProcessEnv;
  /** Runs a command there as its user would. @returns what it printed */
  run(command: string, args: readonly string[], environment?: Readonly<Record<string, string>>): Promise<string>;
  /** The same, with what it printed as errors, too. */
  runAll(command: string, args: readonly string[], environment?: Readonly<Record<string, string>>): Promise<string>;
  /** Writes a file, its folders included. */
  write(path: string, text: string): Promise<void>;
  read(path: string): Promise<string>;
  remove(path: string): Promise<void>;
  dispose(): Promise<void>;
}

/** This process's, with Node 24 first, and without this repository's own commands. */
function environmentHere(): NodeJS.ProcessEnv {
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((entry) => !entry.startsWith(REPOSITORY));
  return { ...process.env, PATH: [dirname(process.execPath), ...path].join(delimiter) };
}

/** A project with nothing in it. */
export async function anEmptyProject(): Promise<UsersApp> {
  const home = await mkdtemp(join(tmpdir(), 'lockstep-user-'));
  const folder = join(home, 'app');
  await mkdir(folder);
  const dispose = () => rm(home, { recursive: true, force: true });
  const runAll = async (
    command: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ) => {
    const env = { ...environmentHere(), ...environment };
    const running = run(command, args, { cwd: folder, env, maxBuffer: 64 << 20 });
    return await running.catch((error: { stdout?: string; stderr?: string; message: string }) => {
      throw new Error(`${command} ${args.join(' ')}: ${error.stdout ?? ''}\n${error.stderr ?? error.message}`);
    });
  };
  return {
    folder,
    environment: environmentHere,
    run: async (...what) => (await runAll(...what)).stdout,
    runAll: async (...what) => {
      const { stdout, stderr } = await runAll(...what);
      return `${stdout}${stderr}`;
    },
    write: async (path, text) => {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    },
    read: (path) => readFile(join(folder, path), 'utf8'),
    remove: (path) => rm(join(folder, path)),
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** What `cdk init app --language typescript` makes, empty of modules. */
export async function aUsersApp(): Promise<UsersApp> {
  const app = await anEmptyProject();
  const cdk = join(REPOSITORY, 'node_modules/aws-cdk/bin/cdk');
  await app.run(process.execPath, [cdk, 'init', 'app', '--language', 'typescript', '--generate-only']);
  return app;
}

/** Packs the package and its tools, as for a registry. @returns the tarballs' paths */
export async function packedPackages(into: string): Promise<readonly [lockstep: string, tools: string]> {
  const pack = ['pack', '--silent', '--pack-destination', into];
  const [lockstep, tools] = [
    await run('npm', pack, { cwd: REPOSITORY, maxBuffer: 64 << 20 }),
    await run('npm', [...pack, './packaging/tools'], { cwd: REPOSITORY }),
  ].map(({ stdout }) => join(into, stdout.trim().split('\n').at(-1) ?? ''));
  if (lockstep === undefined || tools === undefined) throw new Error('npm pack made no tarball');
  return [lockstep, tools];
}

/** The README's code blocks, by the path in their first line; those without one by their language. */
export async function readmeCode(): Promise<ReadonlyMap<string, string>> {
  const readme = await readFile(join(REPOSITORY, 'README.md'), 'utf8');
  const section = readme.slice(readme.indexOf('## Write a consumer'), readme.indexOf('## Deploy it'));
  const blocks = [...section.matchAll(/```(\w+)\n(.*?)```/gs)].map(
    ([, language = '', code = '']) => [/^\/\/ (\S+)\n/.exec(code)?.[1] ?? language, code] as const,
  );
  return new Map(blocks);
}
