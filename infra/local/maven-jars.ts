import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { download } from './downloads.ts';
import { LocalCloudError } from './local-cloud-error.ts';
import { requireMaven } from './requirements.ts';

const run = promisify(execFile);

/**
 * The jars (and native libraries) of a pom, from Maven Central or whatever mirror the machine's Maven settings name.
 * Fetched once; Maven is asked for only then.
 *
 * @returns the folder that holds them
 */
export async function mavenJars(name: string, pom: string): Promise<string> {
  return download(name, await readFile(pom, 'utf8'), async (folder) => {
    const maven = await requireMaven();
    const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
    await run(maven, ['-q', '-B', '-f', pom, goal, `-DoutputDirectory=${folder}`, '-DincludeScope=runtime']).catch(
      (error: { stdout?: string; message: string }) => {
        const reason = /\[ERROR\] (.*)/.exec(error.stdout ?? '')?.[1] ?? error.message;
        throw new LocalCloudError(`Maven could not fetch ${name} (${join(pom)}): ${reason}`);
      },
    );
  });
}
