import { ENVIRONMENT } from '../../shared/environment.ts';
import type { Mapping } from './event-source/mapping.ts';
import { type Fields, fields } from './stack-template.ts';

/** A topic as a stack describes it. */
export interface DeployedTopic {
  readonly topicName: string;
  /** Absent where the stack leaves it open. */
  readonly partitions?: number;
  readonly maxRecordBytes?: number;
}

export interface ConsumerFacts {
  readonly name: string;
  readonly topic: DeployedTopic;
  /** Absent for a function that knows no dead letters. */
  readonly deadLetterTopic?: DeployedTopic;
  /** Names of the topics that the handler writes to. */
  readonly producesTo: readonly string[];
  /** The handler's TypeScript module, relative to the repository; absent for a mapping of somebody else's making. */
  readonly entry?: string;
  readonly handlerExport?: string;
}

/** What LockstepConsumer noted beside the mapping; for a mapping of somebody else's making, what mapping and function say. */
export function consumerFacts(
  metadata: Fields,
  mapping: Mapping,
  own: { readonly name: string; readonly environment: Readonly<Record<string, string>> },
): ConsumerFacts {
  const noted = fields(metadata['Lockstep']);
  const deadLetters = own.environment[ENVIRONMENT.deadLetterTopic];
  return {
    name: typeof noted['consumerName'] === 'string' ? noted['consumerName'] : own.name,
    topic: topicFacts(noted['topic'], mapping.topic),
    ...(deadLetters && { deadLetterTopic: topicFacts(noted['deadLetterTopic'], deadLetters) }),
    producesTo: Array.isArray(noted['producesTo']) ? noted['producesTo'].map(String) : [],
    ...(typeof noted['entry'] === 'string' && { entry: noted['entry'] }),
    ...(typeof noted['handlerExport'] === 'string' && { handlerExport: noted['handlerExport'] }),
  };
}

function topicFacts(noted: unknown, topicName: string): DeployedTopic {
  const { partitions, maxRecordBytes } = fields(noted);
  return {
    topicName,
    ...(typeof partitions === 'number' && { partitions }),
    ...(typeof maxRecordBytes === 'number' && { maxRecordBytes }),
  };
}
