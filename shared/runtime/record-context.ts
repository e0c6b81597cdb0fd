import { LockstepError } from '../errors.ts';
import type { OutgoingRecord } from '../ports/record-producer.ts';
import type { Log } from '../ports/telemetry.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import { positionName } from '../record/item-identifier.ts';
import type { EpochMs, Offset } from '../record/units.ts';
import type { TransactAction } from '../transact-action.ts';
import type { ProducedRecord, RecordContext } from './consumer.ts';
import type { LateSignal } from './late-signal.ts';
import { outgoingRecord } from './outgoing-record.ts';
import { recordLog } from './record-log.ts';
import type { ReturnedRecords } from './returned-records.ts';

/** What the contexts of one partition share. */
export interface ContextShare {
  readonly cluster: string;
  readonly group: string;
  readonly epoch: number;
  /** Fires when handlers should end. */
  readonly aborted: Pick<LateSignal, 'signal'>;
  readonly deadline: EpochMs;
  readonly log: Log;
  readonly requestId: string;
  /** Records that Lockstep wrote back. Records produced from them carry the first origin in their id. */
  readonly returned: ReturnedRecords;
}

/** A {@link RecordContext} that collects what the handler wants committed with its record. */
export class CollectingContext implements RecordContext {
  readonly attempt: number;
  readonly #share: ContextShare;
  readonly #records: readonly DeliveredRecord[];
  // Created on first use: most handlers use none of them.
  #effects: TransactAction[] | undefined;
  #outgoing: OutgoingRecord[] | undefined;
  /** How many records were produced from each record. */
  #producedFrom: Map<Offset, number> | undefined;
  #logger: Log | undefined;
  #isOver = false;

  /** @param records - the records of the call: one, or those of an `onBatch` call */
  constructor(share: ContextShare, records: readonly DeliveredRecord[], attempt: number) {
    this.#share = share;
    this.#records = records;
    this.attempt = attempt;
  }

  /** Whether nothing is to be committed with the record. */
  get isBare(): boolean {
    return this.#effects === undefined && this.#outgoing === undefined;
  }

  get effects(): readonly TransactAction[] {
    return this.#effects ?? [];
  }

  get outgoing(): readonly OutgoingRecord[] {
    return this.#outgoing ?? [];
  }

  get epoch(): number {
    return this.#share.epoch;
  }

  get signal(): AbortSignal {
    return this.#share.aborted.signal;
  }

  get deadline(): EpochMs {
    return this.#share.deadline;
  }

  get logger(): Log {
    const { log, requestId } = this.#share;
    const [first] = this.#records;
    // Lines of a call with several records name the first.
    this.#logger ??= first === undefined ? log : recordLog(log, first, this.attempt, requestId);
    return this.#logger;
  }

  // Bound, so that handlers may write `(record, { transact }) => …`.
  get transact(): RecordContext['transact'] {
    return (...actions) => {
      this.#refuseIfOver('transact');
      for (const action of actions) checkAction(action, nameOf(this.#records));
      this.#effects ??= [];
      this.#effects.push(...actions);
    };
  }

  get produce(): RecordContext['produce'] {
    return (topic, record) => this.#produce(topic, record);
  }

  /** The handler has ended: what it adds from now on would be lost. */
  end(): void {
    this.#isOver = true;
  }

  #refuseIfOver(what: string): void {
    if (!this.#isOver) return;
    const error = new LockstepError(
      'CONTEXT_ENDED',
      `context.${what} was called after the handler of ${nameOf(this.#records)} had ended`,
    );
    this.logger.error('work that a handler started went on after the handler had ended', { error });
    throw error;
  }

  #produce(topic: string, record: ProducedRecord): void {
    this.#refuseIfOver('produce');
    const { cluster, group, returned } = this.#share;
    const source = this.#source(topic, record?.from);
    const { position, offset } = source;
    const { timestamp, ...first } = returned.get(offset)?.origin ?? source;
    this.#producedFrom ??= new Map();
    const index = this.#producedFrom.get(offset) ?? 0;
    // The same for every run of this record, so that a consumer that uses it as its key applies each record once.
    const id = `${cluster}/${group}/${positionName(first)}/${timestamp}/${index}`;
    const outgoing = outgoingRecord(topic, record, position, id);
    this.#producedFrom.set(offset, index + 1);
    this.#outgoing ??= [];
    this.#outgoing.push(outgoing);
  }

  #source(topic: string, from: ProducedRecord['from']): DeliveredRecord {
    const [first, ...others] = this.#records;
    const named = from === undefined ? undefined : this.#records.find(({ kafkaOffset }) => kafkaOffset === from.offset);
    if (named !== undefined) return named;
    if (first !== undefined && others.length === 0 && from === undefined) return first;
    throw new LockstepError(
      'PRODUCE_SOURCE_UNKNOWN',
      `a record for ${topic} was given to context.produce ${from === undefined ? 'without `from`' : `with \`from\` at offset ${from.offset}`} in a call with ${this.#records.length} records from ${first?.position}`,
    );
  }
}

const ACTIONS = ['Put', 'Update', 'Delete', 'ConditionCheck'];

function checkAction(action: unknown, of: string): void {
  const given = typeof action === 'object' && action !== null ? Object.entries(action) : [];
  const names = given.flatMap(([name, member]) => (member === undefined ? [] : name));
  const known = names.filter((name) => ACTIONS.includes(name));
  if (names.length === 1 && known.length === 1) return;
  const more = names.length > known.length ? ['other members'] : [];
  throw new LockstepError(
    'TRANSACT_INVALID',
    `context.transact of ${of}: expected objects with one of Put, Update, Delete and ConditionCheck, got ${
      names.length === 0 ? typeof action : `an object with ${[...known, ...more].join(', ')}`
    }`,
  );
}

function nameOf(records: readonly DeliveredRecord[]): string {
  const [first, ...others] = records;
  return others.length === 0 ? `${first?.position}` : `${first?.position} and ${others.length} more`;
}
