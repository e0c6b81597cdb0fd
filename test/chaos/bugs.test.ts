import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REPOSITORY } from '../../infra/local/local-folder.ts';
import { patched } from '../simulation/patch-modules.ts';
import { CHAOS_BUG_NAMES, CHAOS_BUGS } from './bugs.ts';

test.each(CHAOS_BUG_NAMES)('%s still fits the code that it breaks', async (name) => {
  for (const patch of CHAOS_BUGS[name].patches) {
    const source = await readFile(join(REPOSITORY, patch.file), 'utf8');

    expect(patched(source, patch)).not.toBe(source);
  }
});
