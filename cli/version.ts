import { existsSync, readFileSync } from 'node:fs';

/** The version of the package of this command: its sources are one folder below package.json, the compiled files two. */
export function version(): string {
  const file = ['../package.json', '../../package.json']
    .map((path) => new URL(path, import.meta.url))
    .find((url) => existsSync(url));
  return file === undefined ? 'unknown' : JSON.parse(readFileSync(file, 'utf8')).version;
}
