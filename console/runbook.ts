import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** The entries of docs/runbook.md by their alarm. Sources are one folder below it, compiled files two. */
export async function runbook(): Promise<Readonly<Record<string, string>>> {
  const file = ['../docs/runbook.md', '../../docs/runbook.md']
    .map((path) => new URL(path, import.meta.url))
    .find((url) => existsSync(url));
  return file === undefined ? {} : entriesOf(await readFile(file, 'utf8'));
}

/** The text below each heading of the third and fourth level. */
export function entriesOf(markdown: string): Record<string, string> {
  const parts = markdown.split(/^(#{2,4}) (.+)$/m);
  const entries: Record<string, string> = {};
  for (let at = 1; at + 2 < parts.length; at += 3) {
    const [level, name = '', text = ''] = parts.slice(at, at + 3);
    if (level !== '##') entries[name.trim()] = text.trim();
  }
  return entries;
}
