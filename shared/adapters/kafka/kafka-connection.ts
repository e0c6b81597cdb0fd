import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/telemetry.ts';
import type { KafkaAuthentication } from './kafka-security.ts';

/** What is needed to reach the brokers. */
export interface KafkaConnectionOptions {
  /** `host:port`, separated by commas. Called for each new connection. */
  readonly brokers: () => string;
  readonly authentication: KafkaAuthentication;
  readonly clock: Clock;
  readonly log: Log;
  /** Shown in the broker's logs and quotas. @default 'lockstep' */
  readonly clientId?: string;
  /** Milliseconds in which a connection must be made. @default CONNECT_TIMEOUT_MS */
  readonly connectTimeoutMs?: number;
  /** Milliseconds in which a request must be answered. After that its connection counts as dead. @default REQUEST_TIMEOUT_MS */
  readonly requestTimeoutMs?: number;
  /**
   * Milliseconds for which brokers are tried again when none answers, at most a quarter of the time left. So a broker that
   * restarts still gets the dead letter, and no relay is needed. @default 0: each broker is tried once, one of them twice
   */
  readonly outagePatienceMs?: number;
}

/** @default 3,000: kafkajs's 1 second is short for TLS to another zone */
export const CONNECT_TIMEOUT_MS = 3_000;
/** @default 5,000 */
export const REQUEST_TIMEOUT_MS = 5_000;
/** {@link KafkaConnectionOptions.outagePatienceMs} of a deployed function. */
export const OUTAGE_PATIENCE_MS = 15_000;
