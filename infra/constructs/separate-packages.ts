import { basename } from 'node:path';
import type { Metafile } from 'esbuild';
import { reachable } from './reachable.ts';

/** The SDK's clients and credential providers share no state, and none checks the class of an object that another one made. */
const SEPARABLE = /^@aws-sdk\/(?:client|credential-provider)[\w-]*$|^@smithy\/credential-provider-imds$/;

/**
 * The AWS SDK's clients and credential providers that are not loaded at the start. Bundled together with the rest, they would
 * add parts of the SDK that only they need to the files that every cold start reads: esbuild splits by file, and removes only
 * what nothing needs. https://esbuild.github.io/api/#splitting
 *
 * @param metafile - of a build of everything
 * @param bundleFile - name of the file that is loaded first
 * @returns paths of their modules by name
 */
export function separatePackages({ inputs, outputs }: Metafile, bundleFile: string): ReadonlyMap<string, string> {
  const separate = new Map<string, string>();
  const others = new Set<string>();
  for (const { imports } of Object.values(inputs)) {
    for (const { original = '', path, external } of imports) {
      if (external !== true && SEPARABLE.test(original) && inputs[path]?.format === 'esm') separate.set(original, path);
      else others.add(original);
    }
  }
  const atStart = [...loadedAtStart({ inputs, outputs }, bundleFile)];
  for (const name of separate.keys()) {
    const isPartOfIt = (text: string) => text.startsWith(`${name}/`);
    const isAtStart = atStart.some((path) => path.includes(`node_modules/${name}/`));
    // A package that is external by its name is external with all its modules.
    if (isAtStart || [...others].some(isPartOfIt)) separate.delete(name);
  }
  return separate;
}

function loadedAtStart({ inputs, outputs }: Metafile, bundleFile: string): ReadonlySet<string> {
  const entries = Object.entries(outputs).flatMap(([path, { entryPoint }]) =>
    basename(path) === bundleFile && entryPoint !== undefined ? entryPoint : [],
  );
  return reachable(entries, (path) =>
    (inputs[path]?.imports ?? []).flatMap(({ kind, external, path: other }) =>
      external !== true && kind !== 'dynamic-import' ? other : [],
    ),
  );
}
