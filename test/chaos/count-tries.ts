import type { Evidence } from './evidence.ts';
import { placeKey } from './judge/by-place.ts';

/** Tries that did not end well by the plan: handlers that ended their process, and those that failed. */
export function countTries({ history, produced }: Evidence): {
  readonly handlerExits: number;
  readonly failedTries: number;
} {
  const does = new Map(produced.map((record) => [placeKey(record), record.does]));
  const scripts = history.filter(({ what }) => what === 'started').map((event) => does.get(placeKey(event)));
  const flaky = history.filter((event) => event.what === 'done' && does.get(placeKey(event)) === 'flaky').length;
  const failing = scripts.filter((script) => script === 'flaky' || script === 'fail' || script === 'refuse').length;
  return { handlerExits: scripts.filter((script) => script === 'exit').length, failedTries: failing - flaky };
}
