import type { Admin } from 'kafkajs';
import type { CloudDescription } from '../../infra/local/cloud-description.ts';
import type { DeployedConsumer } from '../../infra/local/deployed.ts';
import type { EventSource } from '../../infra/local/event-source/event-source.ts';
import type { LocalKafka } from '../../infra/local/kafka.ts';
import type { Random } from '../../shared/testing/random.ts';
import type { DynamoDbProxy } from './dynamodb-proxy.ts';
import type { FaultCounts } from './faults.ts';
import type { HistoryFile } from './history-file.ts';
import type { PlannedRecord } from './plan.ts';

/** What faults act on. */
export interface Stage {
  readonly cloud: CloudDescription;
  readonly consumer: DeployedConsumer;
  readonly letterTopic: string;
  readonly broker: LocalKafka;
  readonly admin: Admin;
  readonly eventSource: EventSource;
  readonly proxy: DynamoDbProxy;
  readonly history: HistoryFile;
  readonly random: Random;
  readonly counts: FaultCounts;
  /** How much trouble DynamoDB makes now: a chance a request. */
  trouble: number;
}

/** The records that go through while a fault happens. */
export interface Slice {
  readonly records: readonly PlannedRecord[];
  readonly produce: () => Promise<void>;
}
