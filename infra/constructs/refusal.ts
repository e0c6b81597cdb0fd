import { Token } from 'aws-cdk-lib';
import type { ConsumerSettings } from './consumer-settings.ts';

/** A combination that synth refuses. */
export interface Refusal {
  /** The property to check. */
  readonly property: string;
  /** What is refused and what would happen otherwise, for the table in docs/deploying.md. */
  readonly because: string;
  /** What to do. */
  readonly fix: string;
  /** What is wrong with these settings; `undefined` if nothing is. */
  readonly objection: (settings: ConsumerSettings) => string | undefined;
}

/** Whether a name matches. Tokens are known only at deployment and are accepted. */
export function known(name: string, pattern: RegExp): boolean {
  return Token.isUnresolved(name) || pattern.test(name);
}

/** Whether this is a whole number in a range, with both ends. Tokens are accepted. */
export function within(value: number, least: number, most: number): boolean {
  return Token.isUnresolved(value) || (Number.isInteger(value) && value >= least && value <= most);
}
