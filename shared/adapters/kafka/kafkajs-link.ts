import type { EpochMs } from '../../record/units.ts';
import { byDeadline } from './by-deadline.ts';
import type { KafkaConnectionOptions } from './kafka-connection.ts';
import { type ReadFailure, readKafkaFailure } from './kafkajs-failure.ts';
import { brokerList, KafkaJsSession, type OpenSocket } from './kafkajs-session.ts';

/** An open connection. */
export interface Linked<C> {
  readonly client: C;
  /** Closes it cleanly. */
  goodbye(): Promise<void>;
}

/** How work over a connection ended. `late`: it is not known whether it was done. */
export type LinkEnd<R> =
  | { readonly type: 'done'; readonly value: R }
  | { readonly type: 'failed'; readonly failure: ReadFailure }
  | { readonly type: 'late'; readonly failure: ReadFailure | undefined };

/** A new leader is found within seconds. The pauses are 100, 200, 400, 800 and 1,600 ms. */
const TRANSIENT_TRIES = 6;

/** Pause before all brokers are tried again, where none answered. */
const OUTAGE_PAUSE_MS = 500;

/** A connection that was requested. */
interface Attempt<C> {
  readonly brokers: string;
  readonly ready: Promise<Linked<C> & { readonly session: KafkaJsSession }>;
  /** Closes it, in any state. */
  close(): void;
}

/**
 * A connection that is opened with the first work, and stays open until `disconnect` or until it fails. Then it is opened
 * again: once for each broker of the list and once more, and after that for as long as `outagePatienceMs` says. Transient
 * errors are waited for. Work may be done twice. Where no broker answers, brokers are not tried again for as long as it took to
 * find that out: half of the time is left for the fallback queue.
 */
export class KafkaJsLink<C> {
  readonly #options: KafkaConnectionOptions;
  readonly #open: (session: KafkaJsSession) => Promise<Linked<C>>;
  readonly #openSocket: OpenSocket | undefined;
  #current: Attempt<C> | undefined;
  #turn = 0;
  /** No broker answered: the error, and until when no broker is tried again. */
  #silence: { readonly brokers: string; readonly until: EpochMs; readonly failure: ReadFailure } | undefined;

  constructor(
    options: KafkaConnectionOptions,
    open: (session: KafkaJsSession) => Promise<Linked<C>>,
    openSocket?: OpenSocket,
  ) {
    this.#options = options;
    this.#open = open;
    this.#openSocket = openSocket;
  }

  /** Does `work` over the connection. Resolves by `giveUpAt`. Never rejects. */
  async use<R>(work: (client: C) => Promise<R>, giveUpAt: EpochMs): Promise<LinkEnd<R>> {
    const { clock, brokers } = this.#options;
    if (this.#current !== undefined && this.#current.brokers !== brokers()) await this.disconnect();
    const startedAt = clock.now();
    const patientUntil = startedAt + Math.min(this.#options.outagePatienceMs ?? 0, (giveUpAt - startedAt) / 4);
    let reconnects = 0;
    let transientTries = 0;
    let failure: ReadFailure | undefined;
    for (;;) {
      if (clock.now() >= giveUpAt) return { type: 'late', failure };
      const silence = this.#silence;
      if (silence !== undefined && silence.brokers === brokers() && clock.now() < silence.until) {
        return { type: 'failed', failure: silence.failure };
      }
      this.#current ??= this.#connect();
      const through = this.#current;
      try {
        const end = await byDeadline(clock, giveUpAt, async () => work((await through.ready).client));
        if (end.type === 'done') {
          this.#silence = undefined;
          return end;
        }
        this.#drop(through);
        return { type: 'late', failure };
      } catch (error) {
        failure = readKafkaFailure(error);
      }
      if (failure.type === 'unreachable') {
        this.#drop(through);
        if (reconnects++ < brokerList(this.#options).length) continue;
        const patience = patientUntil - clock.now();
        if (patience <= 0) {
          this.#silence = { brokers: brokers(), until: clock.now() + (clock.now() - startedAt), failure };
          return { type: 'failed', failure };
        }
        await clock.sleep(Math.min(OUTAGE_PAUSE_MS, patience));
      } else if (failure.type === 'transient' && ++transientTries < TRANSIENT_TRIES) {
        await clock.sleep(Math.max(0, Math.min(50 * 2 ** transientTries, giveUpAt - clock.now())));
      } else return { type: 'failed', failure };
    }
  }

  /** Closes the connection; the next work opens another. Leaves no socket and no timer. Never rejects. */
  async disconnect(): Promise<void> {
    const last = this.#current;
    this.#current = undefined;
    this.#silence = undefined;
    if (last === undefined) return;
    try {
      const { session, goodbye } = await last.ready;
      await session.end(goodbye);
    } catch {
      last.close();
    }
  }

  #connect(): Attempt<C> {
    let session: KafkaJsSession | undefined;
    let isClosed = false;
    const open = async () => {
      session = await KafkaJsSession.open(this.#options, this.#turn++, this.#openSocket);
      if (isClosed) session.close();
      return { session, ...(await this.#open(session)) };
    };
    const close = () => {
      isClosed = true;
      session?.close();
    };
    const ready = open();
    // Callers that wait for it get the error. After `close` there may be none.
    ready.catch(() => undefined);
    return { brokers: this.#options.brokers(), ready, close };
  }

  /** Closes a connection, and forgets it unless another has replaced it. */
  #drop(failed: Attempt<C>): void {
    if (this.#current === failed) this.#current = undefined;
    failed.close();
  }
}
