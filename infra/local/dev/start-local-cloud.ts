import type { CloudDescription, ServersDescription } from '../cloud-description.ts';
import { type ServersOptions, startServers } from '../servers.ts';
import { step } from '../step.ts';
import { type DevSession, type DevSessionOptions, startDevSession } from './dev-session.ts';

export interface LocalCloudOptions extends Omit<DevSessionOptions, 'servers' | 'context' | 'onProgress'> {
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
  const servers = await step(
    'Start Apache Kafka and MiniStack (downloaded the first time)',
    (onProgress) =>
      startServers({
        cdk: options.app.cdk,
        onProgress,
        ...(onDeath && { onDeath }),
        ...(bootstrapServers !== undefined && { bootstrapServers }),
      }),
    ({ description: { bootstrapServers: kafka, endpoint } }) =>
      `Apache Kafka is up at ${kafka}, AWS's APIs at ${endpoint.url}`,
  );
  const { description } = servers;
  try {
    const running = await step(
      'Deploy the app',
      (onProgress) =>
        startDevSession({
          ...session,
          servers: description,
          onProgress,
          ...(context && { context: context(description) }),
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
