import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LocalCloudError } from './local-cloud-error.ts';

const run = promisify(execFile);

interface Requirement {
  readonly name: string;
  readonly least: string;
  readonly debian: string;
  readonly fedora: string;
  readonly macos: string;
}

const JAVA: Requirement = {
  name: 'Java',
  least: '17',
  debian: 'apt install default-jre-headless',
  fedora: 'dnf install java-latest-openjdk-headless',
  macos: 'brew install openjdk',
};
const MAVEN: Requirement = {
  name: 'Maven',
  least: '3.6',
  debian: 'apt install maven',
  fedora: 'dnf install maven',
  macos: 'brew install maven',
};
const PYTHON: Requirement = {
  name: 'Python',
  least: '3.10',
  debian: 'apt install python3 python3-venv',
  fedora: 'dnf install python3',
  macos: 'brew install python',
};
const OPENSSL: Requirement = {
  name: 'OpenSSL',
  least: '1.1.1',
  debian: 'apt install openssl',
  fedora: 'dnf install openssl',
  macos: 'brew install openssl',
};

/** @returns the `java` command. @throws LocalCloudError if there is none of version 17 or later */
export async function requireJava(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const java = env['JAVA_HOME'] ? join(env['JAVA_HOME'], 'bin', 'java') : 'java';
  return require(JAVA, [java], ['-version'], /version "(\d+(?:\.\d+)*)/, env);
}

/** @returns the `mvn` command. @throws LocalCloudError if there is none of version 3.6 or later */
export async function requireMaven(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  return require(MAVEN, ['mvn'], ['--version'], /Apache Maven (\d+(?:\.\d+)*)/, env);
}

/** @returns a `python3` command. @throws LocalCloudError if there is none of version 3.10 or later */
export async function requirePython(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const newerNames = ['python3.13', 'python3.12', 'python3.11', 'python3.10'];
  return require(PYTHON, ['python3', ...newerNames], ['--version'], /Python (\d+(?:\.\d+)*)/, env);
}

/** @returns the `openssl` command. @throws LocalCloudError if there is none (macOS's LibreSSL will do) */
export async function requireOpenssl(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  return require(OPENSSL, ['openssl'], ['version'], /SSL (\d+(?:\.\d+)*)/, env);
}

async function require(
  what: Requirement,
  commands: readonly string[],
  args: readonly string[],
  pattern: RegExp,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  let found: string | undefined;
  for (const command of commands) {
    // Java prints its version on standard error; macOS's placeholder for a missing Java fails.
    const output = await run(command, [...args], { env }).then(
      ({ stdout, stderr }) => stdout + stderr,
      () => '',
    );
    const version = pattern.exec(output)?.[1];
    if (version !== undefined && isAtLeast(version, what.least)) return command;
    found ??= version;
  }
  const state = found === undefined ? 'is missing' : `is too old: ${found}`;
  throw new LocalCloudError(
    `${what.name} ${what.least} or later ${state}. Debian, Ubuntu: ${what.debian}. Fedora: ${what.fedora}. macOS: ${what.macos}.`,
  );
}

function isAtLeast(version: string, least: string): boolean {
  const wanted = least.split('.').map(Number);
  const actual = version.split('.').map(Number);
  for (const [index, number] of wanted.entries()) {
    const difference = (actual[index] ?? 0) - number;
    if (difference !== 0) return difference > 0;
  }
  return true;
}
