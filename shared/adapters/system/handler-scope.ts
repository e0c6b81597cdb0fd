import { AsyncLocalStorage } from 'node:async_hooks';
import type { HandlerScope } from '../../ports/handler-scope.ts';
import type { DeliveredRecord } from '../../record/delivered-record.ts';

/** Called with a rejected promise. `true`: it is handled, and the process goes on. */
type Watcher = (reason: unknown) => boolean;

const watchers = new Set<Watcher>();

function tellWatchers(reason: unknown): void {
  const answers = [...watchers].map((watcher) => watcher(reason));
  // A listener keeps Node from ending the process, which it does by default for a rejected promise that nobody awaited.
  if (!answers.includes(true) && process.listenerCount('unhandledRejection') === 1) throw reason;
}

/**
 * Finds the records whose handler started a promise that was rejected and that nobody awaited.
 *
 * @param onRejection - called with the reason and the records of the handler call. Returns whether the process may go on:
 * otherwise Node and Lambda end it.
 */
export function watchRejections(
  onRejection: (reason: unknown, records: readonly DeliveredRecord[]) => boolean,
): HandlerScope & { close(): void } {
  const handling = new AsyncLocalStorage<readonly DeliveredRecord[]>();
  const watcher: Watcher = (reason) => {
    const records = handling.getStore();
    return records !== undefined && onRejection(reason, records);
  };
  if (watchers.size === 0) process.on('unhandledRejection', tellWatchers);
  watchers.add(watcher);
  return {
    run: (records, call) => handling.run(records, call),
    close: () => {
      watchers.delete(watcher);
      if (watchers.size === 0) process.off('unhandledRejection', tellWatchers);
    },
  };
}
