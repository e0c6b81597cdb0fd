import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BUNDLE_FILE, type BundledFile } from './lambda-bundle.ts';

/** What a handler's bundle exports. */
export type LookedAt =
  | { readonly type: 'loaded'; readonly exports: Readonly<Record<string, SeenExport>> }
  /** It threw when it was loaded, or did not end. */
  | { readonly type: 'failed'; readonly name: string; readonly message: string };

/** An export: what `lockstepConsumer` made, with its options, or something else. */
export type SeenExport = SeenHandler | 'other';

/** The options of a handler that the construct must know. Numbers may be `Infinity`, which JSON does not know. */
export interface SeenHandler {
  readonly maxAttempts: string;
  readonly maxInterruptions: string;
  readonly onExhausted: 'deadLetter' | 'park';
  /** Empty: the consumer group. */
  readonly keyNamespace: string;
}

const WITHIN_MS = 30_000;

/**
 * Loads a bundle once, in a process of its own, without credentials. The handler is not invoked.
 *
 * @param files - the bundle
 * @param environment - what the function gets; values that are known only at deployment are tokens
 */
export function lookAtHandler(files: readonly BundledFile[], environment: Readonly<Record<string, string>>): LookedAt {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-look-'));
  const answer = join(folder, 'answer.json');
  try {
    for (const { path, contents } of files) {
      if (path.endsWith('.map')) continue;
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), contents);
    }
    const file = join(folder, `${BUNDLE_FILE}.mjs`);
    execFileSync(process.execPath, ['--input-type=module', '-e', LOOK, pathToFileURL(file).href, answer], {
      env: { ...environment, AWS_REGION: 'us-east-1', AWS_EC2_METADATA_DISABLED: 'true' },
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: WITHIN_MS,
    });
    return JSON.parse(readFileSync(answer, 'utf8'));
  } catch (error) {
    const { code, message = String(error) }: { code?: unknown; message?: string } = Object(error);
    const isLate = code === 'ETIMEDOUT';
    return {
      type: 'failed',
      name: String(code ?? 'Error'),
      message: isLate ? `no end after ${WITHIN_MS / 1000} s` : message,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs in the other process. The symbol is that of shared/connection.ts. */
const LOOK = `
import { writeFileSync } from 'node:fs';
const [, file, answer] = process.argv;
let found;
try {
  // Names like $7 are what the bundle's own files share.
  const entries = Object.entries(await import(file)).filter(([name]) => !/^\\$\\d+$/.test(name));
  const exports = entries.map(([name, value]) => {
    const policy = value?.[Symbol.for('lockstep.holder')]?.check?.({ environment: { consumerGroup: '', failureMode: 'report' } }).policy;
    if (policy === undefined) return [name, 'other'];
    const { maxAttempts, maxInterruptions, park } = policy.retry;
    return [name, {
      maxAttempts: String(maxAttempts),
      maxInterruptions: String(maxInterruptions),
      onExhausted: park === undefined ? 'deadLetter' : 'park',
      keyNamespace: policy.keyNamespace,
    }];
  });
  found = { type: 'loaded', exports: Object.fromEntries(exports) };
} catch (error) {
  found = { type: 'failed', name: String(error?.name ?? 'Error'), message: String(error?.message ?? error) };
}
writeFileSync(answer, JSON.stringify(found));
process.exit(0);
`;
