import { type LoadHookSync, type ResolveHookSync, registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

/** A few characters of one file replaced. Spaces and line breaks of `find` match any white space. */
export interface Patch {
  /** From the repository's root. */
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

const ROOT = new URL('../../', import.meta.url).href;
const PACKAGES = `${ROOT}node_modules/`;

/** Query parameter that tells the modules of one copy from those of another. */
const COPY = 'patched';

const patchesOf = new Map<string, readonly Patch[]>();

/**
 * Loads a module of this repository, and all that it imports of this repository, once more with deliberate bugs in them: what is
 * deployed needs no hooks for tests. Copies with different names live side by side in one thread; packages they share.
 *
 * @param module - URL, as `import.meta.resolve` gives it
 * @param copy - what the copy is called
 * @throws when a patched module is loaded and the text is not there exactly once: then the bug would not be built in
 */
export async function importPatched<Module>(module: string, copy: string, patches: readonly Patch[]): Promise<Module> {
  if (patchesOf.size === 0) registerHooks({ resolve: resolveInCopy, load: loadPatched });
  patchesOf.set(copy, patches);
  return await import(inCopy(module, copy));
}

const resolveInCopy: ResolveHookSync = (specifier, context, nextResolve) => {
  const resolved = nextResolve(specifier, context);
  const copy = context.parentURL === undefined ? undefined : copyOf(context.parentURL);
  const isOwn = resolved.url.startsWith(ROOT) && !resolved.url.startsWith(PACKAGES);
  return copy === undefined || !isOwn ? resolved : { ...resolved, url: inCopy(resolved.url, copy) };
};

const loadPatched: LoadHookSync = (url, context, nextLoad) => {
  const loaded = nextLoad(url, context);
  const copy = copyOf(url);
  if (copy === undefined) return loaded;
  const path = fileURLToPath(url);
  const own = (patchesOf.get(copy) ?? []).filter(({ file }) => path === fileURLToPath(`${ROOT}${file}`));
  if (own.length === 0) return loaded;
  const source = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source);
  return { ...loaded, source: own.reduce(patched, source) };
};

function inCopy(url: string, copy: string): string {
  const copied = new URL(url);
  copied.searchParams.set(COPY, copy);
  return copied.href;
}

function copyOf(url: string): string | undefined {
  return url.startsWith('file:') ? (new URL(url).searchParams.get(COPY) ?? undefined) : undefined;
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
