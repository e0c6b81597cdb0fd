import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { type BuildOptions, buildSync, type Metafile } from 'esbuild';
import { reachable } from './reachable.ts';

/** A file of a bundle. */
export interface BundledFile {
  /** Relative to the bundle's folder. */
  readonly path: string;
  readonly contents: Uint8Array;
}

/** The files that esbuild made of a handler, with splitting. */
export interface SplitBundle {
  readonly files: readonly BundledFile[];
  readonly metafile: Metafile;
  /** The file that is loaded first. */
  readonly entry: string;
  /** The build settings. */
  readonly settings: BuildOptions & { readonly absWorkingDir: string; readonly outdir: string };
}

/** A file of the start that later files import. */
interface Shared {
  readonly path: string;
  /** Its exports, and their names in the entry. */
  readonly names: readonly { readonly name: string; readonly as: string }[];
}

/**
 * Puts everything that is loaded at the start into one file. esbuild makes a file of the modules that the same set of entries
 * shares, and each dynamically imported module is an entry. That gives a dozen small files, each of which a cold start
 * resolves, reads and links. https://esbuild.github.io/api/#splitting
 *
 *  entry ──▶ a ──▶ b ◀── later     becomes     entry, a and b ◀── b, which only re-exports ◀── later
 *
 * @returns the files unchanged where a module of the start has a top-level await: it could wait for a later file, which imports
 * from the same file now, and so would wait for itself
 */
export function startInOneFile(bundle: SplitBundle): readonly BundledFile[] {
  const outputs = outputsByPath(bundle);
  const start = loadedAtStart(outputs, bundle.entry);
  if (start.size === 1) return bundle.files;
  const shared = askedForLater(outputs, start, bundle.entry);
  const merged = mergedStart(bundle, start, shared);
  if (merged === undefined) return bundle.files;
  const later = bundle.files.filter(({ path }) => !start.has(path.replace(/\.map$/, '')));
  return [...merged, ...shared.map((file) => handingOn(file, bundle.entry)), ...later];
}

/** Replaces a file whose contents are in the entry now. */
function handingOn({ path, names }: Shared, entry: string): BundledFile {
  const exported = names.map(({ name, as }) => `${as} as ${name}`);
  return { path, contents: Buffer.from(exportFrom(relative(dirname(path), entry), exported)) };
}

type Outputs = ReadonlyMap<string, { readonly exports: readonly string[]; readonly imports: Imports }>;
type Imports = readonly { readonly path: string; readonly kind: string }[];

/** By paths relative to the bundle's folder, without files outside of it. */
function outputsByPath({ metafile, settings }: SplitBundle): Outputs {
  const pathOf = (path: string) => relative(settings.outdir, resolve(settings.absWorkingDir, path));
  return new Map(
    Object.entries(metafile.outputs).map(([path, { exports, imports }]) => [
      pathOf(path),
      {
        exports,
        imports: imports
          .filter(({ external }) => external !== true)
          .map(({ path: other, kind }) => ({ path: pathOf(other), kind })),
      },
    ]),
  );
}

function loadedAtStart(outputs: Outputs, entry: string): ReadonlySet<string> {
  return reachable([entry], (path) =>
    (outputs.get(path)?.imports ?? []).flatMap(({ kind, path: other }) => (kind === 'import-statement' ? other : [])),
  );
}

function askedForLater(outputs: Outputs, start: ReadonlySet<string>, entry: string): readonly Shared[] {
  const later = [...outputs].filter(([path]) => !start.has(path));
  const asked = new Set(later.flatMap(([, { imports }]) => imports.map(({ path }) => path)));
  let exported = 0;
  return [...start]
    .filter((path) => path !== entry && asked.has(path))
    .map((path) => ({
      path,
      names: (outputs.get(path)?.exports ?? []).map((name) => ({ name, as: `$${exported++}` })),
    }));
}

function mergedStart(
  { files, entry, settings }: SplitBundle,
  start: ReadonlySet<string>,
  shared: readonly Shared[],
): readonly BundledFile[] | undefined {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'lockstep-bundle-'));
  const banner = settings.banner?.['js'] ?? '';
  try {
    for (const { path, contents } of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      // The banner's line stays, empty, so that the source map stays valid.
      const isOfStart = start.has(path);
      writeFileSync(join(folder, path), isOfStart ? Buffer.from(contents).toString().replace(banner, '') : contents);
    }
    const all = [
      `export*from"./${entry}";`,
      ...shared.map(({ path, names }) =>
        exportFrom(
          path,
          names.map(({ name, as }) => `${name} as ${as}`),
        ),
      ),
    ];
    writeFileSync(join(folder, 'start.mjs'), all.join(''));
    const later = files.filter(({ path }) => !start.has(path));
    const { outputFiles } = buildSync({
      ...settings,
      absWorkingDir: folder,
      outdir: folder,
      entryPoints: [{ in: join(folder, 'start.mjs'), out: entry.replace(/\.mjs$/, '') }],
      external: [...(settings.external ?? []), ...later.map(({ path }) => join(folder, path))],
      write: false,
      splitting: false,
      keepNames: false, // they are kept already
      supported: { 'top-level-await': false },
    });
    return outputFiles.map(({ path, contents }) => ({ path: relative(folder, path), contents }));
  } catch (error) {
    if (isTopLevelAwait(error)) return undefined;
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function exportFrom(path: string, names: readonly string[]): string {
  return `export{${names.join()}}from"${path.startsWith('.') ? path : `./${path}`}";`;
}

function isTopLevelAwait(error: unknown): boolean {
  return error instanceof Error && error.message.includes('Top-level await is not available');
}
