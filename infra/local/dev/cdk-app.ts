import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { LocalCloudError } from '../local-cloud-error.ts';
import { fields } from '../stack-template.ts';

/** A CDK app on this machine. */
export interface CdkApp {
  /** Where its cdk.json is. */
  readonly folder: string;
  /** File of its own `cdk` command. */
  readonly cdk: string;
  /** Command of the app, where it is not that of cdk.json. */
  readonly command?: string;
}

/** The folder of the CDK app around a folder; `undefined` where there is none. */
export function appFolder(from: string): string | undefined {
  const folder = resolve(from);
  if (existsSync(join(folder, 'cdk.json'))) return folder;
  return dirname(folder) === folder ? undefined : appFolder(dirname(folder));
}

/** @throws LocalCloudError where there is no app, or its packages are not installed */
export function cdkAppAround(from: string): CdkApp {
  const folder = appFolder(from);
  if (folder === undefined)
    throw new LocalCloudError(
      `There is no CDK app here: neither ${resolve(from)} nor a folder above it has a cdk.json. Go to the folder of your app, or make one: npx aws-cdk init app --language typescript`,
    );
  try {
    const { resolve: find } = createRequire(join(folder, 'package.json'));
    return { folder, cdk: join(dirname(find('aws-cdk/package.json')), 'bin/cdk') };
  } catch {
    throw new LocalCloudError(`The package aws-cdk is not installed in ${folder}. Run: npm install --save-dev aws-cdk`);
  }
}

/** The app's command: its own, or that of cdk.json. */
function commandOf({ folder, command }: Pick<CdkApp, 'folder' | 'command'>): string {
  if (command !== undefined) return command;
  try {
    return String(fields(JSON.parse(readFileSync(join(folder, 'cdk.json'), 'utf8')))['app'] ?? '');
  } catch {
    return '';
  }
}

/** The module with which the app begins, relative to its folder; `undefined` where its command does not name one. */
export function appEntry(app: Pick<CdkApp, 'folder' | 'command'>): string | undefined {
  const words = commandOf(app).split(/[\s;&|]+/);
  return words.findLast((word) => /\.[cm]?[jt]s$/.test(word) && existsSync(join(app.folder, word)));
}
