/*
 * What most invocations never need: loaded when the first record asks for it, so that a cold start does not pay for it. Virtual
 * time must not run while a module is loaded, so whatever moves it calls `loadAll` before.
 */
interface OnDemand {
  readonly batchRunner: typeof import('./batch-runner.ts');
  readonly carefulTry: typeof import('./careful-try.ts');
  readonly deadLetters: typeof import('./dead-letters.ts');
  readonly effects: typeof import('./effects.ts');
  readonly failedTry: typeof import('./failed-try.ts');
  readonly heldBatch: typeof import('./held-batch.ts');
  readonly keys: typeof import('./prepare-keys.ts');
}

const LOADERS: { readonly [Name in keyof OnDemand]: () => Promise<OnDemand[Name]> } = {
  batchRunner: () => import('./batch-runner.ts'),
  carefulTry: () => import('./careful-try.ts'),
  deadLetters: () => import('./dead-letters.ts'),
  effects: () => import('./effects.ts'),
  failedTry: () => import('./failed-try.ts'),
  heldBatch: () => import('./held-batch.ts'),
  keys: () => import('./prepare-keys.ts'),
};

const loaded: { -readonly [Name in keyof OnDemand]?: OnDemand[Name] } = {};

/** The module, without a promise once it is there. */
export function onDemand<Name extends keyof OnDemand>(name: Name): OnDemand[Name] | Promise<OnDemand[Name]> {
  return loaded[name] ?? load(name);
}

let all: Promise<unknown> | undefined;

/** Loads all of them. */
export async function loadAll(): Promise<void> {
  all ??= Promise.all((Object.keys(LOADERS) as (keyof OnDemand)[]).map(load));
  await all;
}

async function load<Name extends keyof OnDemand>(name: Name): Promise<OnDemand[Name]> {
  const module = await LOADERS[name]();
  (loaded as { [key in Name]?: OnDemand[key] })[name] = module;
  return module;
}
