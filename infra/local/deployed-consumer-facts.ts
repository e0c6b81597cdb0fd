import { ENVIRONMENT } from '../../shared/environment.ts';
import type { BundlingOptions } from '../constructs/lambda-bundle.ts';
import type { Mapping } from './event-source/mapping.ts';
import { type Fields, fields } from './stack-template.ts';

/** A topic as a stack describes it. */
export interface DeployedTopic {
  readonly topicName: string;
  /** Absent where the stack does not say. */
  readonly partitions?: number;
  readonly maxRecordBytes?: number;
}

export interface ConsumerFacts {
  readonly name: string;
  readonly topic: DeployedTopic;
  /** Absent for a function without dead letters. */
  readonly deadLetterTopic?: DeployedTopic;
  /** Names of the topics that the handler writes to. */
  readonly producesTo: readonly string[];
  /** The handler's TypeScript module, relative to the app's folder; absent for a mapping that LockstepConsumer did not make. */
  readonly entry?: string;
  readonly handlerExport?: string;
  /** How the handler is bundled; where `lockstep dev` has deployed it. */
  readonly bundling?: BundlingOptions;
}

/** The facts that LockstepConsumer wrote beside the mapping. For other mappings, what the mapping and the function say. */
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
    ...(noted['bundling'] !== undefined && { bundling: fields(noted['bundling']) }),
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
