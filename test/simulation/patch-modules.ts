import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

/** A few characters of one file replaced. Spaces and line breaks of `find` match any white space. */
export interface Patch {
  /** From the repository's root. */
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Loads modules with deliberate bugs in them: what is deployed needs no hooks for tests.
 *
 * @throws when a patched module is loaded and the text is not there exactly once: then the bug would not be built in
 */
export function patchModules(patches: readonly Patch[]): void {
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const path = url.startsWith('file:') ? fileURLToPath(url) : '';
      const own = patches.filter(({ file }) => path === `${ROOT}${file}`);
      if (own.length === 0) return loaded;
      const source = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source);
      return { ...loaded, source: own.reduce(patched, source) };
    },
  });
}

/** @throws when `find` does not occur exactly once */
export function patched(source: string, { file, find, put }: Patch): string {
  const pattern = new RegExp(find.trim().split(/\s+/).map(escaped).join('\\s+'), 'g');
  const found = source.match(pattern)?.length ?? 0;
  if (found !== 1) throw new Error(`the deliberate bug fits ${found} places of ${file}, not one: ${find}`);
  return source.replace(pattern, () => put);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
