/** `lockstep/cdk`: the constructs. */
export type { AlarmOptions } from '../infra/constructs/alarm-options.ts';
export { AlarmTopic } from '../infra/constructs/alarm-topic.ts';
export type {
  FailureDestinationOptions,
  LockstepConsumerProps,
  PollerOptions,
  RetryIntent,
} from '../infra/constructs/consumer-props.ts';
export { ConsumersDashboard, type ConsumersDashboardProps } from '../infra/constructs/consumers-dashboard.ts';
export { DeadLetterTopic, type DeadLetterTopicProps } from '../infra/constructs/dead-letter-topic.ts';
export type { BundlingOptions } from '../infra/constructs/handler-code.ts';
export type {
  KafkaAuthentication,
  KafkaCluster,
  KafkaNetwork,
  MskKafka,
  MutualTlsAuthentication,
  PasswordAuthentication,
  ScramAuthentication,
  SelfManagedAuthentication,
  SelfManagedKafka,
} from '../infra/constructs/kafka-cluster.ts';
export { KafkaTopic, type KafkaTopicProps, type TopicFacts } from '../infra/constructs/kafka-topic.ts';
export { type Ledger, LedgerTable, type LedgerTableProps } from '../infra/constructs/ledger-table.ts';
export { LockstepConsumer } from '../infra/constructs/lockstep-consumer.ts';
export { MskCluster, type MskClusterProps } from '../infra/constructs/msk-cluster.ts';
export { RefusalError } from '../infra/constructs/refusal-error.ts';
