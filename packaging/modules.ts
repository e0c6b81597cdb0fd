import { join } from 'node:path';
import { build } from 'esbuild';

/** The entry points of the package `lockstep`, without their extensions, as its `exports` name them. */
export const ENTRY_POINTS = [
  'shared/lockstep-consumer',
  'public/cdk',
  'public/testing',
  'shared/schemas/avro',
  'shared/schemas/protobuf',
  'shared/schemas/framed',
];
/** Its constructs bundle them. */
export const FUNCTIONS = ['functions/relay/handler', 'functions/redrive/handler'];
/** The command, and what it starts as a process of its own: they are the package `lockstep-tools`. */
export const COMMANDS = ['cli/main', 'infra/local/guard-main', 'infra/local/inspect-main'];

/** The modules that these load, without packages. @returns paths relative to `dist` */
export async function modulesOf(dist: string, entries: readonly string[]): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: dist,
    entryPoints: entries.map((path) => join(dist, `${path}.js`)),
    outdir: dist,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    write: false,
    metafile: true,
    logLevel: 'error',
  });
  return Object.keys(metafile.inputs);
}
