import type { Duration } from 'aws-cdk-lib';
import type { ITopic } from 'aws-cdk-lib/aws-sns';

/** Thresholds of a consumer's alarms. */
export interface AlarmOptions {
  /** Where all alarms go, also when they end. @default nowhere */
  readonly topic?: ITopic;
  /** Where the runbook is; alarms link to `<url>#<alarm>`. @default {@link DEFAULT_RUNBOOK_URL} */
  readonly runbookUrl?: string;
  /** Dead letters in a minute that count as normal. @default 0 */
  readonly deadLetters?: number;
  /** How long a record may be blocked. @default 15 minutes */
  readonly blockedFor?: Duration;
  /** How long a key may be parked. @default 4 hours */
  readonly parkedFor?: Duration;
  /** Records behind, over 15 minutes. @default 10,000 */
  readonly lagRecords?: number;
  /** Time behind, over 15 minutes. @default 15 minutes */
  readonly lagTime?: Duration;
  /** Fenced commits in 5 minutes that count as normal: rebalances cause a few. @default 5 */
  readonly fencedCommits?: number;
  /** Share of the function timeout, in percent, that an invocation may take. @default 90 */
  readonly durationPercentOfTimeout?: number;
}

/** A relative path, as long as the code has no public home. */
export const DEFAULT_RUNBOOK_URL = 'docs/runbook.md';
