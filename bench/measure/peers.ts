/** The compared consumers, ours first, the lower limit last. */
export const PEERS = ['lockstep', 'powertools', 'middy', 'bare'] as const;

/** A name of {@link PEERS}. */
export type PeerName = (typeof PEERS)[number];

/** As `kafkaEvent` says. */
const EVENT_SOURCE_ARN = 'arn:aws:kafka:eu-central-1:111122223333:cluster/shop/11111111-2222-3333-4444-555555555555-1';

/** What a consumer's process needs to know: ours and the peers'. */
export const CONSUMER_ENVIRONMENT = {
  LOCKSTEP_LEDGER_TABLE: 'lockstep-ledger',
  LOCKSTEP_CONSUMER_GROUP: 'orders',
  LOCKSTEP_DEAD_LETTER_TOPIC: 'orders-dead-letters',
  LOCKSTEP_FALLBACK_QUEUE_URL: 'http://127.0.0.1:1/fallback',
  LOCKSTEP_EVENT_SOURCE_ARN: EVENT_SOURCE_ARN,
  LOCKSTEP_CLUSTER_ARN: EVENT_SOURCE_ARN,
  LOCKSTEP_TOPIC: 'orders',
  LOCKSTEP_MAX_ATTEMPTS: '5',
  LOCKSTEP_MAX_INTERRUPTIONS: '3',
  LOCKSTEP_KEY_NAMESPACES: 'orders',
  LOCKSTEP_KAFKA_AUTH: 'none',
  POWERTOOLS_METRICS_NAMESPACE: 'Bench',
  POWERTOOLS_SERVICE_NAME: 'orders',
  IDEMPOTENCY_TABLE: 'idempotency',
  AWS_LAMBDA_FUNCTION_NAME: 'orders',
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
} as const;
