import type { CloudDescription, ServersDescription } from '../../infra/local/cloud-description.ts';
import { deployStacks } from '../../infra/local/deploy-stacks.ts';
import type { ResendReading } from '../../infra/local/event-source/decide.ts';
import type { LocalKafka } from '../../infra/local/kafka.ts';
import type { Patch } from '../simulation/patch-modules.ts';
import { type DynamoDbProxy, startDynamoDbProxy } from './dynamodb-proxy.ts';
import type { StagedFault } from './faults.ts';
import type { ChaosIntent } from './fixtures/chaos-intent.ts';
import { HANDLER, patchedSources } from './patched-sources.ts';
import { historyPath, type ReadingResult, runReading } from './run-reading.ts';

const APP = 'npx node test/chaos/fixtures/chaos-app.ts';
const PARTITIONS = 6;
/** What a handler takes for a record: so that faults meet records under way. */
const WORK_MS = 4;

export interface ChaosOptions {
  /** @default 'Chaos' */
  readonly stackName?: string;
  /** Of the records, the faults' order, and the moments. */
  readonly seed: number;
  /** Of each reading. */
  readonly records: number;
  readonly readings: readonly ResendReading[];
  readonly faults: readonly StagedFault[];
  /** Deliberate bugs. @default none */
  readonly patches?: readonly Patch[];
  /** Ends a run at its first untrue answer; what is open then is not judged. @default false */
  readonly endsAtUntrueAnswer?: boolean;
}

/** Consumers deployed for a chaos run, one for each reading, and what stands between them and DynamoDB. */
export interface Chaos {
  /** Lets all records go through under one reading, and judges. */
  run(reading: ResendReading, onProgress: (line: string) => void): Promise<ReadingResult>;
  stop(): Promise<void>;
}

/** Deploys by the real construct, each consumer with a topic, a dead-letter topic and a group of its own. */
export async function deployChaos(
  servers: ServersDescription,
  broker: LocalKafka,
  options: ChaosOptions,
): Promise<Chaos> {
  const { stackName = 'Chaos', seed, records, readings, faults, patches = [] } = options;
  const proxy = await startDynamoDbProxy(servers.endpoint);
  try {
    const entry = patches.length === 0 ? HANDLER : await patchedSources(servers.runFolder, patches);
    const intents = readings.map((reading) => intentOf(reading, entry, servers, proxy));
    const cloud: CloudDescription = await deployStacks(servers, {
      app: APP,
      context: { stackName, consumers: JSON.stringify(intents) },
    });
    return {
      run: async (reading, onProgress) => {
        const consumer = cloud.deployed.consumers.find(({ name }) => name === nameOf(reading));
        if (consumer === undefined) throw new Error(`no consumer is deployed for the reading ${reading}`);
        return runReading({
          ...{ seed, records, reading, faults, cloud, consumer, broker, proxy, onProgress },
          partitions: PARTITIONS,
          endsAtUntrueAnswer: options.endsAtUntrueAnswer ?? false,
        });
      },
      stop: () => proxy.stop(),
    };
  } catch (error) {
    await proxy.stop();
    throw error;
  }
}

function nameOf(reading: ResendReading): string {
  return `Chaos${reading.charAt(0).toUpperCase()}${reading.slice(1)}`;
}

function intentOf(
  reading: ResendReading,
  entry: string,
  servers: ServersDescription,
  proxy: DynamoDbProxy,
): ChaosIntent {
  const name = nameOf(reading);
  return {
    name,
    entry,
    topic: `chaos-${reading}`,
    partitions: PARTITIONS,
    environment: {
      AWS_ENDPOINT_URL_DYNAMODB: proxy.url,
      HISTORY_FILE: historyPath(servers.runFolder, name),
      WORK_MS: String(WORK_MS),
    },
  };
}
