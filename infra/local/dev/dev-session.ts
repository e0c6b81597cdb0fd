import { join, relative } from 'node:path';
import { LambdaClient, UpdateFunctionCodeCommand } from '@aws-sdk/client-lambda';
import type { CloudDescription, ServersDescription } from '../cloud-description.ts';
import { type ConsumersOptions, type RunningConsumers, runConsumers } from '../consumers.ts';
import type { DeployedConsumer } from '../deployed.ts';
import { lambdaInvoker } from '../event-source/lambda-invoker.ts';
import { type InspectedFunction, inspectedFunction } from '../inspected-function.ts';
import { LocalCloudError } from '../local-cloud-error.ts';
import { clientConfig } from '../local-endpoint.ts';
import { assumeRole } from '../role-credentials.ts';
import { appInputs } from './app-inputs.ts';
import type { Assembly } from './assembly.ts';
import type { CdkApp } from './cdk-app.ts';
import { type DeployAppOptions, deployApp, synthesizeApp } from './deploy-app.ts';
import { type BuiltFile, type HandlerBuild, handlerBuild } from './handler-builds.ts';
import { invocationGate } from './invocation-gate.ts';
import { storedZip } from './stored-zip.ts';
import { swapCode } from './swap-code.ts';
import { type FileWatch, watchFiles } from './watch-files.ts';

export interface DevSessionOptions extends DeployAppOptions {
  readonly app: CdkApp;
  readonly servers: ServersDescription;
  /** The first synthesis, where it has begun. @default it begins now */
  readonly synthesized?: Promise<Assembly> | undefined;
  readonly consumersOptions?: ConsumersOptions;
  /** Runs a consumer under the debugger. @default none */
  readonly inspect?: { readonly consumer: string; readonly breakAtStart: boolean } | undefined;
  /** Called whenever something else is deployed. */
  readonly onDeployed?: (description: CloudDescription) => Promise<void>;
  /** Gets one line for each change. */
  readonly say: (line: string) => void;
}

/** An app that runs on the local cloud and follows its sources. */
export interface DevSession {
  /** What is deployed now. */
  readonly description: CloudDescription;
  readonly consumers: RunningConsumers;
  stop(): Promise<void>;
}

/**
 * Deploys an app, polls its mappings, and follows its sources: an edited handler gets new code at once; when the stack's own
 * modules are edited, the app is deployed again. What is in flight ends before.
 *
 * @throws LocalCloudError if the app cannot be deployed the first time; nothing of it is left running
 */
export async function startDevSession(options: DevSessionOptions): Promise<DevSession> {
  const { app, servers, say, consumersOptions = {}, onDeployed = async () => {} } = options;
  const lambda = new LambdaClient({ ...clientConfig(servers.endpoint), maxAttempts: 1 });
  const usual = lambdaInvoker(lambda);
  const isInspected = ({ name }: DeployedConsumer) => name.toLowerCase() === options.inspect?.consumer.toLowerCase();
  let inspected: InspectedFunction | undefined;
  const gate = invocationGate({
    invoke: (arn, payload) => {
      const consumer = description.deployed.consumers.find((one) => one.function.functionArn === arn);
      return (consumer && isInspected(consumer) && inspected ? inspected : usual).invoke(arn, payload);
    },
  });
  const pollAll = () => runConsumers(description, { ...consumersOptions, invokerOf: () => gate });

  /** The inspected consumer's code runs in its process, under the debugger. */
  const inspect = async (consumer: DeployedConsumer, code: readonly BuiltFile[]): Promise<void> => {
    const { breakAtStart = false } = options.inspect ?? {};
    if (inspected === undefined) {
      inspected = await inspectedFunction({
        endpoint: servers.endpoint,
        assumeRole: (roleArn) => assumeRole(servers.endpoint, roleArn),
        folder: join(servers.runFolder, 'inspected'),
        breakAtStart,
        onLine: (line) => {
          consumersOptions.onLog?.(consumer.name, line);
          consumers?.metrics.ingest(line);
        },
      });
      say(`Attach a debugger to ${inspected.debugger} (chrome://inspect, or your editor's "attach").`);
    }
    await inspected.run(consumer, code);
  };

  /** What is deployed was made from these handlers. */
  const buildAll = async (): Promise<ReadonlyMap<DeployedConsumer, HandlerBuild>> => {
    const made = await buildsOf(app, description, consumersOptions.consumers);
    for (const [consumer, build] of made) if (isInspected(consumer)) await inspect(consumer, await build.build());
    return made;
  };

  let consumers: RunningConsumers | undefined;
  let assembly = await (options.synthesized ?? synthesizeApp(app, servers, options));
  if (options.inspect) requireConsumer(assembly, options.inspect.consumer);
  let description = await deployApp(app, servers, assembly, options);
  const building = buildAll();
  building.catch(() => {}); // thrown below
  // Only the inspected process waits for its code.
  if (options.inspect) await building;
  const polling = await pollAll();
  consumers = polling;
  let builds = await building.catch(async (error) => {
    await polling.stop();
    throw error;
  });
  await onDeployed(description);

  const follow = async (): Promise<void> => {
    const handlers = [...builds].flatMap(([, { inputs }]) => [...inputs]);
    watching.follow([...handlers, ...(await appInputs(app))]);
  };

  const swap = (consumer: DeployedConsumer, build: HandlerBuild): Promise<void> => {
    const { functionArn } = consumer.function;
    return swapCode({
      build: build.build,
      hold: () => gate.hold(functionArn),
      update: async (code) => {
        await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: functionArn, ZipFile: storedZip(code) }));
        if (isInspected(consumer)) await inspect(consumer, code);
      },
    });
  };

  /** Changes what runs: one step after the other. */
  let changing = Promise.resolve();
  const next = (step: () => Promise<void>): Promise<void> => {
    changing = changing.then(step).catch((error) => say(`✖ ${String(error)}`));
    return changing;
  };
  /** Modules that were saved since the last synthesis began: it may not have seen them. */
  const savedSince = new Set<string>();
  let synthesizing = Promise.resolve();

  const swapAll = async (paths: ReadonlySet<string>): Promise<void> => {
    for (const [consumer, build] of builds) {
      const saved = [...paths].filter((path) => build.inputs.has(path));
      if (saved.length === 0) continue;
      await guarded(named(saved), async (what) => {
        const startedAt = performance.now();
        await swap(consumer, build);
        const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
        say(`${what}: ${consumer.name} runs the new code (${seconds} s).`);
      });
    }
  };

  const redeploy = async (what: string, synthesized: Assembly): Promise<void> => {
    if (synthesized.fingerprint === assembly.fingerprint) return say(`${what}: the stacks stay as they are.`);
    const goOn = await gate.hold();
    try {
      await consumers?.stop();
      // Until it is deployed nobody knows what is.
      assembly = { ...synthesized, fingerprint: '' };
      description = await deployApp(app, servers, synthesized, options);
      assembly = synthesized;
      await Promise.all([...builds.values()].map((build) => build.dispose()));
      builds = await buildAll();
      await onDeployed(description);
    } finally {
      goOn();
      consumers = await pollAll();
    }
    say(`${what}: deployed again.`);
    await swapAll(savedSince);
  };

  const named = (paths: Iterable<string>): string => [...paths].map((path) => relative(app.folder, path)).join(', ');

  /** What is wrong with the user's own files is said in one line; what runs goes on. */
  const guarded = async (what: string, work: (what: string) => Promise<void>): Promise<void> => {
    try {
      await work(what);
    } catch (error) {
      if (!(error instanceof LocalCloudError)) throw error;
      say(`✖ ${what}: ${error.message} The old code stays.`);
    }
  };

  const change = async (paths: readonly string[]): Promise<void> => {
    for (const path of paths) savedSince.add(path);
    await next(() => swapAll(new Set(paths)));
    const ofApp = new Set(await appInputs(app));
    const saved = paths.filter((path) => ofApp.has(path));
    await follow();
    if (saved.length === 0) return;
    // A synthesis takes long: meanwhile handlers go on to be swapped.
    synthesizing = synthesizing.then(() =>
      guarded(named(saved), async (what) => {
        savedSince.clear();
        const synthesized = await synthesizeApp(app, servers, options);
        await next(() => guarded(what, () => redeploy(what, synthesized)));
        await follow();
      }),
    );
    await synthesizing;
  };

  const watching: FileWatch = watchFiles((paths) => {
    change(paths).catch((error) => say(`✖ ${String(error)}`));
  });
  await follow();

  return {
    get description() {
      return description;
    },
    get consumers() {
      if (consumers === undefined) throw new Error('nothing is polled');
      return consumers;
    },
    async stop() {
      watching.close();
      await changing;
      await consumers?.stop();
      await inspected?.stop();
      await Promise.all([...builds.values()].map((build) => build.dispose()));
      lambda.destroy();
    },
  };
}

/** Before anything is deployed. @throws LocalCloudError where the app has no consumer of that name */
export function requireConsumer({ consumers }: Pick<Assembly, 'consumers'>, name: string): void {
  if (!consumers.some((one) => one.toLowerCase() === name.toLowerCase()))
    throw new LocalCloudError(`No consumer is called ${name}. There are: ${consumers.join(', ')}.`);
}

async function buildsOf(
  app: CdkApp,
  { deployed }: CloudDescription,
  wanted: ConsumersOptions['consumers'],
): Promise<Map<DeployedConsumer, HandlerBuild>> {
  const builds = deployed.consumers.flatMap((consumer) =>
    consumer.entry === undefined || wanted?.includes(consumer.name) === false
      ? []
      : [handlerBuild(app.folder, consumer.entry, consumer.bundling ?? {}).then((build) => [consumer, build] as const)],
  );
  return new Map(await Promise.all(builds));
}
