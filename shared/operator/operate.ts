import { assertNever } from '../assert-never.ts';
import { DEFAULT_MAX_REDRIVES } from '../decide/redrive.ts';
import type { Clock } from '../ports/clock.ts';
import type { ParkedKeys } from '../ports/parked-keys.ts';
import type { StackSecret } from '../ports/stack-secret.ts';
import type { TopicLog } from '../ports/topic-log.ts';
import type { Transactions } from '../ports/transactions.ts';
import { rangesOf } from '../record/offset-ranges.ts';
import type { EpochMs } from '../record/units.ts';
import { indexLetters } from '../redrive/index-letters.ts';
import { lettersAt } from '../redrive/read-letters.ts';
import { redrive } from '../redrive/redrive.ts';
import { replay } from '../redrive/replay.ts';
import { askRelease, parkedLetters } from '../release/ask-release.ts';
import type { ReleaseEvent } from '../release/release-event.ts';
import type { ReleaseAnswer } from '../release/run-release.ts';
import type { OperatorAnswers } from './answers.ts';
import { groupLetters } from './group-letters.ts';
import { letterLine } from './letter-lines.ts';
import { listLetters, showLetter } from './letters.ts';
import { listForeign } from './list-foreign.ts';
import { readRecords } from './read-records.ts';
import type { OperatorRequest } from './requests.ts';

/** The most offsets of a dead-letter topic that are read to count its open dead letters. */
const MOST_COUNTED = 50_000;

/** A consumer's topics, and how they are reached. */
export interface OperatorPorts {
  readonly log: TopicLog;
  readonly transactions: Transactions;
  readonly clock: Clock;
  readonly topic: string;
  readonly deadLetterTopic: string;
  readonly group: string;
  readonly secret: StackSecret;
  /** As the ledger's keys have it. */
  readonly cluster: string;
  readonly parkedKeys: Pick<ParkedKeys, 'read'>;
  /** Invokes the consumer function. */
  readonly invoke: (event: ReleaseEvent) => Promise<ReleaseAnswer>;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Does what an operator requests of a consumer's topics: on a laptop against the local cloud, on AWS in the operator function.
 *
 * @param stopAt - a redrive starts no transaction after this time; the next call does the rest
 * @param giveUpAt - when reading must have ended
 * @throws LockstepError
 */
export async function operate(
  request: OperatorRequest,
  ports: OperatorPorts,
  { stopAt, giveUpAt }: { readonly stopAt?: EpochMs; readonly giveUpAt: EpochMs },
): Promise<OperatorAnswers[keyof OperatorAnswers]> {
  const { log, topic, deadLetterTopic, group, clock, transactions, onProgress, signal } = ports;
  const secret = await ports.secret();
  const source = { log, deadLetterTopic, group, secret, giveUpAt };
  switch (request.type) {
    case 'topics': {
      const bounds = await log.bounds(topic, giveUpAt);
      const committed = await log.committed(group, topic, giveUpAt);
      const held = await log.bounds(deadLetterTopic, giveUpAt);
      const partitions = bounds.map((one) => {
        const offset = committed.get(one.partition);
        return { ...one, ...(offset !== undefined && { committed: offset }) };
      });
      const letters = held.reduce((sum, { start, end }) => sum + end - start, 0);
      const counts = request.countLetters === true && letters <= MOST_COUNTED;
      const openLetters = counts ? (await indexLetters(source, () => 0)).open().length : undefined;
      return { partitions, letters, ...(openLetters !== undefined && { openLetters }) };
    }
    case 'groups':
      return groupLetters(source, request.filter, onProgress);
    case 'letters':
      return listLetters(source, request, onProgress);
    case 'foreign':
      return listForeign(source, request.limit);
    case 'letter':
      return showLetter(source, request.id);
    case 'records': {
      const { id, partition = 0, offset = 0, before, of } = request;
      const at = id === undefined ? { topic, partition, offset } : { id };
      return readRecords(source, topic, { at, before, of });
    }
    case 'redrive':
    case 'purge':
      return redrive(
        {
          what: request.type,
          filter: request.filter,
          dryRun: request.dryRun,
          maxRedrives: request.maxRedrives ?? DEFAULT_MAX_REDRIVES,
          includeDoubtful: request.includeDoubtful ?? false,
          by: request.by,
          ...(request.rate !== undefined && { rate: request.rate }),
          ...(stopAt !== undefined && { stopAt }),
        },
        { source, topic, transactions, clock, ...(onProgress && { onProgress }), ...(signal && { signal }) },
      );
    case 'release': {
      const { partition, parkedKey, sequence } = request;
      const { parkedKeys, invoke, cluster } = ports;
      const place = { cluster, group, topic, partition, parkedKey };
      const letters = await parkedLetters(source, new Set([sequence]));
      return askRelease(place, sequence, letters, { parkedKeys, source, clock, invoke }, stopAt ?? giveUpAt);
    }
    case 'parkedLetters': {
      const letters = await parkedLetters(source, new Set([request.sequence]));
      const places = [...(letters.get(request.sequence) ?? [])].sort(([a], [b]) => a - b);
      const ordinals = rangesOf(places.map(([ordinal]) => ordinal));
      if (request.lines === undefined) return { ordinals };
      const first = places.slice(0, request.lines).map(([, place]) => place);
      const lines = await lettersAt(source, first, (letter) => ({
        ordinal: letter.parked?.ordinal ?? 0,
        ...letterLine(letter),
      }));
      return { ordinals, letters: lines };
    }
    case 'replay':
      return replay({ ...request, topic, group }, { log, transactions, secret, giveUpAt });
    default:
      return assertNever(request);
  }
}
