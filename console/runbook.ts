import { readFile } from 'node:fs/promises';

/** The entries of docs/runbook.md by their alarm. */
export async function runbook(): Promise<Readonly<Record<string, string>>> {
  return entriesOf(await readFile(new URL('../docs/runbook.md', import.meta.url), 'utf8'));
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
