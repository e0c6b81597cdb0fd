import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/telemetry.ts';
import type { KafkaAuthentication } from './kafka-security.ts';

/** What is needed to reach the brokers. */
export interface KafkaConnectionOptions {
  /** `host:port`, separated by commas, as the event has them: asked for with each new connection. */
  readonly brokers: () => string;
  readonly authentication: KafkaAuthentication;
  readonly clock: Clock;
  readonly log: Log;
  /** Named in the broker's logs and quotas. @default 'lockstep' */
  readonly clientId?: string;
  /** Milliseconds until a connection must stand. @default CONNECT_TIMEOUT_MS */
  readonly connectTimeoutMs?: number;
  /** Milliseconds until a request must be answered; then its connection is taken for dead. @default REQUEST_TIMEOUT_MS */
  readonly requestTimeoutMs?: number;
  /**
   * Milliseconds for which brokers are asked again though none answers, a quarter of the time left at most: a broker that is
   * restarted gets the letter, and no relay is needed. @default 0: each is asked once, one of them twice
   */
  readonly outagePatienceMs?: number;
}

/** @default 3,000: kafkajs's own 1 second is short for TLS to another zone */
export const CONNECT_TIMEOUT_MS = 3_000;
/** @default 5,000 */
export const REQUEST_TIMEOUT_MS = 5_000;
/** {@link KafkaConnectionOptions.outagePatienceMs} of a deployed function. */
export const OUTAGE_PATIENCE_MS = 15_000;
