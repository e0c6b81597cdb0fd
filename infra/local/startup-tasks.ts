import type { ListrTask } from 'listr2';
import type { CloudDescription } from './cloud-description.ts';
import { type ConsumersOptions, type RunningConsumers, runConsumers } from './consumers.ts';
import { type DeployStacksOptions, deployStacks } from './deploy-stacks.ts';
import { type Servers, startServers } from './servers.ts';

/** What the start-up tasks bring up, filled as they go; so what is up can be stopped when a later one fails. */
export interface CloudContext {
  servers?: Servers;
  description?: CloudDescription;
  consumers?: RunningConsumers;
}

export interface StartupOptions extends DeployStacksOptions {
  /** What runs the consumers depends on what is deployed. */
  readonly consumersOptions: (description: CloudDescription) => Promise<ConsumersOptions>;
}

/** The local cloud's start, a task each step, for showing how far it is. */
export function startupTasks(options: StartupOptions): ListrTask<CloudContext>[] {
  return [
    {
      title: 'Start Apache Kafka and MiniStack (downloaded the first time)',
      task: async (context, task) => {
        context.servers = await startServers({ onProgress: (line) => sayProgress(task, line) });
        const { bootstrapServers, endpoint } = context.servers.description;
        task.title = `Apache Kafka is up at ${bootstrapServers}, AWS's APIs at ${endpoint.url}`;
      },
    },
    {
      title: 'cdk deploy',
      task: async (context, task) => {
        const { description } = need(context.servers);
        context.description = await deployStacks(description, {
          ...options,
          onProgress: (line) => sayProgress(task, line),
        });
        const { consumers } = context.description.deployed;
        task.title = `cdk deploy: ${consumers.map(({ name }) => name).join(', ')} deployed, topics made`;
      },
    },
    {
      title: 'Start the event source',
      task: async (context, task) => {
        const description = need(context.description);
        context.consumers = await runConsumers(description, await options.consumersOptions(description));
        task.title = 'The event source polls';
      },
    },
  ];
}

/** Stops what is up, in the right order. */
export async function stopCloud({ consumers, servers }: CloudContext): Promise<void> {
  await consumers?.stop();
  await servers?.stop();
}

/** cdk's line for each resource, as `Stack | 3/30 | …`: of use only where the next one takes its place. */
const RESOURCE_EVENT = / \| +\d+\/\d+ \| /;

/** Shows a line of a step's tool while the step runs. */
export function sayProgress(task: { output: string }, line: string): void {
  if (!process.stdout.isTTY && (RESOURCE_EVENT.test(line) || line.startsWith('npm warn'))) return;
  task.output = line;
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a start-up task ran before the one it needs');
  return value;
}
