import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import * as v from 'valibot';
import { OperatorError } from '../shared/operator-errors.ts';

/** What runs a project's tests. */
export const RUNNERS = ['vitest', 'jest', 'node:test'] as const;

export type Runner = (typeof RUNNERS)[number];

/** The project that a command is run in, as far as a test has to fit in. */
export interface Project {
  readonly folder: string;
  readonly runner: Runner;
  /** Its tests are TypeScript. */
  readonly isTyped: boolean;
  /** Imports name their files with `.ts`. */
  readonly importsTs: boolean;
}

const PackageJson = v.object({
  dependencies: v.optional(v.record(v.string(), v.string()), {}),
  devDependencies: v.optional(v.record(v.string(), v.string()), {}),
  scripts: v.optional(v.record(v.string(), v.string()), {}),
});

/**
 * The project around a folder.
 *
 * @param given - the runner that the command line names
 * @throws LockstepError COMMAND_LINE_INVALID where there is no project, or nothing in it that runs tests
 */
export function projectAround(folder: string, given?: Runner): Project {
  const root = rootOf(folder);
  const { dependencies, devDependencies, scripts } = packageOf(root);
  const installed = { ...dependencies, ...devDependencies };
  const isTyped = existsSync(join(root, 'tsconfig.json'));
  const usesNode = Object.values(scripts).some((script) => /\bnode\b.*\s--test\b/.test(script));
  const found = 'vitest' in installed ? 'vitest' : 'jest' in installed ? 'jest' : usesNode ? 'node:test' : undefined;
  const runner = given ?? found;
  if (runner === undefined)
    throw invalid(
      `${join(root, 'package.json')} names no test runner (vitest, jest, or a script with \`node --test\`), so nothing was written. Install one, or name one with --runner`,
    );
  const tsconfig = isTyped ? readFileSync(join(root, 'tsconfig.json'), 'utf8') : '';
  const importsTs =
    isTyped &&
    (runner === 'node:test' || /"(allowImportingTsExtensions|rewriteRelativeImportExtensions)":\s*true/.test(tsconfig));
  return { folder: root, runner, isTyped, importsTs };
}

/**
 * The file that exports the consumer's `handler`: the one that is given, or the only one that calls `lockstepConsumer`.
 *
 * @throws LockstepError COMMAND_LINE_INVALID where there is none, or several
 */
export function handlerFile({ folder }: Project, cwd: string, given: string | undefined): string {
  if (given !== undefined) {
    const file = resolve(cwd, given);
    if (!existsSync(file)) throw invalid(`--handler names ${given}, and there is no such file, so nothing was written`);
    return file;
  }
  const files = globSync('**/*.{ts,mts,js,mjs}', { cwd: folder, exclude: isElsewhere }).filter((file) =>
    isHandler(readFileSync(join(folder, file), 'utf8')),
  );
  const [only, ...others] = files.sort();
  if (only !== undefined && others.length === 0) return join(folder, only);
  const found =
    only === undefined
      ? 'no file exports a `handler` of lockstepConsumer'
      : `several files export a handler: ${files.join(', ')}`;
  throw invalid(`${found}, so nothing was written. Name the consumer's with --handler`);
}

function isElsewhere(path: string): boolean {
  return (
    path
      .split(sep)
      .some((part) => part === 'node_modules' || part === 'dist' || part === 'cdk.out' || part.startsWith('.')) ||
    /\.(test|spec|d)\.[mc]?[jt]s$/.test(path)
  );
}

function isHandler(text: string): boolean {
  return /\bexport\s+const\s+handler\b/.test(text) && /\blockstepConsumer\b/.test(text);
}

function rootOf(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const above = dirname(folder);
  if (above === folder)
    throw invalid('there is no package.json here or above, so nothing was written. Run the command in your project');
  return rootOf(above);
}

function packageOf(root: string): v.InferOutput<typeof PackageJson> {
  try {
    return v.parse(PackageJson, JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
  } catch {
    throw invalid(`${join(root, 'package.json')} cannot be read, so nothing was written`);
  }
}

/** How one file imports another. */
export function importPath(from: string, to: string, { importsTs }: Project): string {
  const path = relative(from, to).split(sep).join('/');
  const named =
    importsTs || !/\.[mc]?ts$/.test(path)
      ? path
      : path
          .replace(/\.ts$/, '')
          .replace(/\.mts$/, '.mjs')
          .replace(/\.cts$/, '.cjs');
  return named.startsWith('.') ? named : `./${named}`;
}

function invalid(what: string): OperatorError {
  return new OperatorError('COMMAND_LINE_INVALID', what);
}
