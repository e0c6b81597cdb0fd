import { OperatorError } from '../operator-errors.ts';
import type { TransactionRecord, Transactions } from '../ports/transactions.ts';
import type { FakeTopicLog } from './fake-topic-log.ts';

/** The fault of a commit. `lost`: nothing was written. `unanswered`: it was written, and the answer is lost. Both reject. */
export type CommitFault = 'lost' | 'unanswered';

/** Transactions over a topic log in memory. Writers with the same id on one log exclude each other. */
export interface FakeTransactions {
  open(): Transactions;
  /** The committed records, commit by commit. */
  readonly commits: readonly (readonly TransactionRecord[])[];
}

/** @param fault - called with each commit of the current writer */
export function fakeTransactions(
  log: FakeTopicLog,
  fault: (records: readonly TransactionRecord[]) => CommitFault | undefined = () => undefined,
): FakeTransactions {
  const commits: (readonly TransactionRecord[])[] = [];
  const ends = new Map<string, number>();
  let power = 0;
  const write = (records: readonly TransactionRecord[]) => {
    commits.push(records);
    for (const { topic, partition, ...record } of records) {
      const place = { topic, partition };
      const name = `${topic}-${partition}`;
      const next = Math.max(ends.get(name) ?? 0, (log.all(place).at(-1)?.offset ?? -1) + 1);
      log.put(place, next, record);
      // A marker ends each transaction, and takes an offset.
      ends.set(name, next + 2);
    }
  };
  return {
    commits,
    open: () => {
      let own = 0;
      return {
        takeOver: async () => {
          own = ++power;
        },
        commit: async (records) => {
          if (own !== power) throw new OperatorError('REDRIVE_FENCED', 'another writer took over');
          const found = fault(records);
          if (found !== undefined) own = -1;
          if (found === 'lost') throw new OperatorError('REDRIVE_FAILED', 'lost');
          write(records);
          if (found === 'unanswered') throw new OperatorError('REDRIVE_FAILED', 'unanswered');
        },
        disconnect: async () => undefined,
      };
    },
  };
}
