import type { Duration } from 'aws-cdk-lib';
import type { ITopic } from 'aws-cdk-lib/aws-sns';

/** Where a consumer's alarms go, and their thresholds. */
export interface AlarmOptions {
  /** Alarms for which somebody is woken: nothing goes on, or a record may be lost. @default nowhere */
  readonly page?: ITopic;
  /** Alarms that can wait for the morning. @default nowhere */
  readonly ticket?: ITopic;
  /** Where the runbook is; alarms link to `<url>#<alarm>`. @default {@link DEFAULT_RUNBOOK_URL} */
  readonly runbookUrl?: string;
  /** Dead letters in a minute that count as normal. @default 0 */
  readonly deadLetters?: number;
  /** How long a record may be blocked. @default 15 minutes */
  readonly blockedFor?: Duration;
  /** How long a key may be parked. @default 4 hours */
  readonly parkedFor?: Duration;
  /** Time behind, over 15 minutes. @default 15 minutes */
  readonly lagTime?: Duration;
  /** Records behind, over 15 minutes: of a cluster in another account, whose brokers do not tell us the time. @default 10,000 */
  readonly lagRecords?: number;
}

/** The runbook of the newest version. */
export const DEFAULT_RUNBOOK_URL = 'https://github.com/lockstep/lockstep/blob/main/docs/runbook.md';
