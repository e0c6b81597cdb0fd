import { existsSync, readFileSync } from 'node:fs';

/** Of the package that this command is part of: its sources lie one folder below it, what was compiled from them two. */
export function version(): string {
  const file = ['../package.json', '../../package.json']
    .map((path) => new URL(path, import.meta.url))
    .find((url) => existsSync(url));
  return file === undefined ? 'unknown' : JSON.parse(readFileSync(file, 'utf8')).version;
}
