import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { download } from './downloads.ts';
import { LocalCloudError } from './local-cloud-error.ts';
import { requireMaven } from './requirements.ts';

const run = promisify(execFile);

/**
 * The jars (and native libraries) of a pom, from Maven Central or whatever mirror the machine's Maven settings name.
 * Fetched once; Maven is asked for only then. Each file must be one of `<name>-jars.sha256`, and none may be missing:
 * after a change of the pom write that file again, with `sha256sum *` in the folder.
 *
 * @returns the folder that holds them
 * @throws LocalCloudError naming the files that are not what they should be
 */
export async function mavenJars(name: string, pom: string): Promise<string> {
  const checksums = await readFile(join(dirname(pom), `${name}-jars.sha256`), 'utf8');
  return download(name, (await readFile(pom, 'utf8')) + checksums, async (folder) => {
    const maven = await requireMaven();
    const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
    await run(maven, [
      '-q',
      '-B',
      '--strict-checksums',
      '-f',
      pom,
      goal,
      `-DoutputDirectory=${folder}`,
      '-DincludeScope=runtime',
    ]).catch((error: { stdout?: string; message: string }) => {
      const reason = /\[ERROR\] (.*)/.exec(error.stdout ?? '')?.[1] ?? error.message;
      throw new LocalCloudError(`Maven could not fetch ${name} (${join(pom)}): ${reason}`);
    });
    const wrong = await differingFiles(folder, checksums);
    if (wrong.length > 0)
      throw new LocalCloudError(`What Maven fetched for ${name} is not what it should be: ${wrong.join(', ')}.`);
  });
}

/** Files of a folder that are missing, that nobody named, or whose contents are others. @param checksums - as `sha256sum` prints them */
export async function differingFiles(folder: string, checksums: string): Promise<string[]> {
  const wanted = new Map(
    checksums
      .split('\n')
      .filter((line) => line !== '')
      .map((line): [string, string] => [line.slice(66), line.slice(0, 64)]),
  );
  const found = await readdir(folder);
  const missing = [...wanted.keys()].filter((name) => !found.includes(name)).map((name) => `${name} is missing`);
  const wrong = await Promise.all(
    found.map(async (name) => {
      const expected = wanted.get(name);
      if (expected === undefined) return [`${name} is not expected`];
      const actual = createHash('sha256')
        .update(await readFile(join(folder, name)))
        .digest('hex');
      return actual === expected ? [] : [`${name} has another checksum`];
    }),
  );
  return [...missing, ...wrong.flat()];
}
