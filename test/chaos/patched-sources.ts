import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REPOSITORY } from '../../infra/local/local-folder.ts';
import { type Patch, patched } from '../simulation/patch-modules.ts';

/** The handler's module, from the repository's root. */
export const HANDLER = 'test/chaos/fixtures/chaos-handler.ts';

/**
 * Copies what is deployed, with deliberate bugs in the copy: production code has no hooks for tests.
 *
 * @param folder - below the repository, so that the copy finds its packages
 * @returns the copied handler's module
 * @throws when a bug no longer fits its place exactly once
 */
export async function patchedSources(folder: string, patches: readonly Patch[]): Promise<string> {
  const copy = join(folder, 'patched');
  await cp(join(REPOSITORY, 'shared'), join(copy, 'shared'), { recursive: true });
  await cp(join(REPOSITORY, HANDLER), join(copy, HANDLER));
  for (const patch of patches) {
    const path = join(copy, patch.file);
    await writeFile(path, patched(await readFile(path, 'utf8'), patch));
  }
  return join(copy, HANDLER);
}
