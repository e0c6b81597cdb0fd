import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { appEntry, cdkAppAround } from '../infra/local/dev/cdk-app.ts';
import { OperatorError } from '../shared/operator-errors.ts';
import { type CommonOptions, optionsOf, print } from './context.ts';
import { example } from './example.ts';
import { className, EXAMPLE_CLUSTER, firstConsumer } from './first-consumer.ts';
import { importPath, type Project, projectAround, RUNNERS, type Runner } from './project.ts';

interface InitOptions extends CommonOptions {
  readonly topic?: string;
  readonly runner?: Runner;
}

export const init = new Command('init')
  .description(
    'Writes a first consumer into the CDK app of this folder: its handler, its test and its stack. Overwrites nothing.',
  )
  .argument('<name>', 'of the consumer, in letters, digits and dashes, as `orders`', consumerName)
  .option('--topic <topic>', 'the topic that it reads; otherwise its name', topicName)
  .addOption(
    new Option('--runner <runner>', 'what runs the tests, where package.json does not say').choices([...RUNNERS]),
  )
  .addHelpText('after', example('lockstep init orders', 'lockstep init invoices --topic shop.invoices --runner vitest'))
  .action(async (name: string, _, command: Command) => {
    const options = optionsOf<InitOptions>(command);
    const { folder } = cdkAppAround(process.cwd());
    const project = projectAround(folder, options.runner);
    const files = firstConsumer(project, { name, topic: options.topic ?? name });
    const there = [...files.keys()].filter((path) => existsSync(join(folder, path)));
    if (there.length > 0)
      throw new OperatorError('COMMAND_LINE_INVALID', `${there.join(', ')} exists already, so nothing was written`);
    for (const [path, text] of files) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    const cluster = await addCluster(join(folder, 'cdk.json'));
    const lines = stackLines(project, folder, name);
    const entry = await addStack(folder, lines);
    const changed = [...(entry === undefined ? [] : [entry]), ...(cluster ? ['cdk.json'] : [])];
    const answer = { written: [...files.keys()], changed, missing: missingPackages(folder) };
    print(options, answer, ({ written, missing }) =>
      [
        ...written.map((path) => `wrote ${path}`),
        ...changed.map((path) => `changed ${path}`),
        ...(entry === undefined
          ? ['Add the stack to your app, beside the others:', ...lines.map((line) => `  ${line}`)]
          : []),
        ...(cluster ? ['Before you deploy to AWS, put your own cluster into the `context` of cdk.json.'] : []),
        ...(missing.length > 0 ? [`Then: npm install ${missing.join(' ')}`] : []),
      ].join('\n'),
    );
  });

/** The lines that add the stack to an app. */
function stackLines(project: Project, folder: string, name: string): readonly [string, string] {
  const stack = `${className(name)}Stack`;
  const path = importPath(join(folder, 'bin'), join(folder, `lib/${name}-stack.ts`), project);
  return [`import { ${stack} } from '${path}';`, `new ${stack}(app, '${stack}');`];
}

/** Adds the stack where the app's module looks as `cdk init` writes it. @returns that module; `undefined` where it does not */
async function addStack(folder: string, [imported, made]: readonly [string, string]): Promise<string | undefined> {
  const entry = appEntry({ folder });
  if (entry === undefined || dirname(entry) !== 'bin') return undefined;
  const text = await readFile(join(folder, entry), 'utf8');
  const app = /^const app = new (cdk\.)?App\(.*\);\n/gm;
  const imports = [...text.matchAll(/^import .* from .*;\n/gm)];
  const last = imports.at(-1);
  if ([...text.matchAll(app)].length !== 1 || last === undefined) return undefined;
  const after = last.index + last[0].length;
  const withImport = `${text.slice(0, after)}${imported}\n${text.slice(after)}`;
  await writeFile(
    join(folder, entry),
    withImport.replace(app, (line) => `${line}${made}\n`),
  );
  return entry;
}

/** Describes a cluster in cdk.json where it has none. @returns whether it did */
async function addCluster(file: string): Promise<boolean> {
  const settings = JSON.parse(await readFile(file, 'utf8'));
  if (settings.context?.cluster !== undefined) return false;
  await writeFile(
    file,
    `${JSON.stringify({ ...settings, context: { ...settings.context, cluster: EXAMPLE_CLUSTER } }, null, 2)}\n`,
  );
  return true;
}

function missingPackages(folder: string): string[] {
  return ['lockstep', 'lockstep-tools', 'valibot'].filter((name) => !existsSync(join(folder, 'node_modules', name)));
}

function consumerName(text: string): string {
  if (/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(text)) return text;
  throw new InvalidArgumentError('Expected small letters and digits, words joined by dashes, for example `orders`.');
}

/** Kafka's own rule. It goes into the files as it is. */
function topicName(text: string): string {
  if (/^[A-Za-z0-9._-]{1,249}$/.test(text)) return text;
  throw new InvalidArgumentError('Expected letters, digits, dots, dashes and underscores.');
}
