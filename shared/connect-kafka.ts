import { gatheringRecordProducer } from './adapters/kafka/gathering-record-producer.ts';
import { OUTAGE_PATIENCE_MS } from './adapters/kafka/kafka-connection.ts';
import { type AuthenticationEnvironment, authenticationOf } from './adapters/kafka/kafka-security.ts';
import { kafkaJsDeadLetterPublisher } from './adapters/kafka/kafkajs-dead-letter-publisher.ts';
import { kafkaJsOriginalReader } from './adapters/kafka/kafkajs-original-reader.ts';
import { kafkaJsProducerConnection } from './adapters/kafka/kafkajs-producer-connection.ts';
import { kafkaJsRecordProducer } from './adapters/kafka/kafkajs-record-producer.ts';
import type { ConsumerEnvironment } from './environment.ts';
import type { Clock } from './ports/clock.ts';
import type { DeadLetterPublisher } from './ports/dead-letter-publisher.ts';
import type { OriginalRangeReader } from './ports/original-reader.ts';
import type { RecordProducer } from './ports/record-producer.ts';
import type { Log } from './ports/telemetry.ts';

/** The ports whose code is loaded with the first dead letter or produced record. */
export interface KafkaPorts {
  readonly letters: DeadLetterPublisher;
  readonly producer: RecordProducer;
  readonly originals: OriginalRangeReader;
}

/** What they are made from. */
export interface KafkaPortsOptions {
  readonly environment: Pick<ConsumerEnvironment, 'deadLetterTopic'> & AuthenticationEnvironment;
  /** `host:port`, separated by commas. */
  readonly brokers: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Region of the cluster. @default AWS_REGION, which Lambda sets */
  readonly region?: string | undefined;
}

/** Dead letters and produced records share one connection; `letters.disconnect` closes it. It connects on first use. */
export function connectKafka({ environment, brokers, clock, log, region }: KafkaPortsOptions): KafkaPorts {
  const authentication = authenticationOf(environment, region);
  const options = { brokers: () => brokers, authentication, clock, log, outagePatienceMs: OUTAGE_PATIENCE_MS };
  const connection = kafkaJsProducerConnection(options);
  return {
    letters: kafkaJsDeadLetterPublisher(environment.deadLetterTopic, connection, log),
    producer: gatheringRecordProducer(kafkaJsRecordProducer(connection)),
    originals: kafkaJsOriginalReader(options),
  };
}
