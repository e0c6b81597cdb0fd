import type { CloudDescription, ServersDescription } from '../cloud-description.ts';
import { type ServersOptions, startServers } from '../servers.ts';
import { step } from '../step.ts';
import type { Assembly } from './assembly.ts';
import { synthesizeApp } from './deploy-app.ts';
import { type DevSession, type DevSessionOptions, startDevSession } from './dev-session.ts';

export interface LocalCloudOptions
  extends Omit<DevSessionOptions, 'servers' | 'synthesized' | 'context' | 'onProgress'> {
  /** A broker that is there, as `host:port,host:port`. @default one is started */
  readonly bootstrapServers?: string | undefined;
  /** Further `-c name=value` for the app. */
  readonly context?: (servers: ServersDescription) => Readonly<Record<string, string>>;
  /** A server has ended by itself. */
  readonly onDeath?: ServersOptions['onDeath'];
}

/** A CDK app that runs on this machine. */
export interface LocalCloud {
  readonly session: DevSession;
  stop(): Promise<void>;
}

/**
 * Starts the servers, deploys an app to them, polls its mappings and follows its sources, and says so in lines for a person.
 *
 * @throws LocalCloudError; then nothing is left running
 */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  const { bootstrapServers, context, onDeath, ...session } = options;
  const contextOf = (description: ServersDescription) => (context ? { context: context(description) } : {});
  /** The app is synthesized while the servers start. What is wrong with it is said when they are up. */
  let synthesized: Promise<Assembly> | undefined;
  const ended = () => synthesized?.catch(() => {});
  const servers = await step(
    'Start Apache Kafka and MiniStack (downloaded the first time)',
    (onProgress) =>
      startServers({
        cdk: options.app.cdk,
        // It has little to do: that it starts in half the processor time counts more.
        shortLived: true,
        onProgress,
        onCluster: (description) => {
          synthesized = synthesizeApp(options.app, description, { ...contextOf(description), onProgress });
          void ended();
        },
        ...(onDeath && { onDeath }),
        ...(bootstrapServers !== undefined && { bootstrapServers }),
      }),
    ({ description: { bootstrapServers: kafka, endpoint } }) =>
      `Apache Kafka is up at ${kafka}, AWS's APIs at ${endpoint.url}`,
  ).catch(async (error) => {
    await ended();
    throw error;
  });
  const { description } = servers;
  try {
    const running = await step(
      'Deploy the app',
      (onProgress) =>
        startDevSession({
          ...session,
          servers: description,
          synthesized,
          onProgress,
          ...contextOf(description),
        }),
      ({ description: { deployed } }) => `The app is deployed, and its mappings are polled: ${namesOf(deployed)}`,
    );
    return {
      session: running,
      async stop() {
        await running.stop();
        await servers.stop();
      },
    };
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

function namesOf({ consumers }: CloudDescription['deployed']): string {
  return consumers.map(({ name }) => name).join(', ');
}
