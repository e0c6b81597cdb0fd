import type { EpochMs } from '../../record/units.ts';
import { byDeadline } from './by-deadline.ts';
import type { KafkaConnectionOptions } from './kafka-connection.ts';
import { type ReadFailure, readKafkaFailure } from './kafkajs-failure.ts';
import { brokerList, KafkaJsSession, type OpenSocket } from './kafkajs-session.ts';

/** What stands while a connection does. */
export interface Linked<C> {
  readonly client: C;
  /** Ends it in good order. */
  goodbye(): Promise<void>;
}

/** How work over a connection ended. `late`: nobody knows whether it was done. */
export type LinkEnd<R> =
  | { readonly type: 'done'; readonly value: R }
  | { readonly type: 'failed'; readonly failure: ReadFailure }
  | { readonly type: 'late'; readonly failure: ReadFailure | undefined };

/** A new leader is found within seconds: pauses of 100, 200, 400, 800, 1,600 ms. */
const TRANSIENT_TRIES = 6;

/** Pause before all brokers are asked again, where none answered. */
const OUTAGE_PAUSE_MS = 500;

/** A connection, from the moment it is wanted. */
interface Attempt<C> {
  readonly brokers: string;
  readonly ready: Promise<Linked<C> & { readonly session: KafkaJsSession }>;
  /** Ends it in whatever state it is. */
  close(): void;
}

/**
 * A connection that is made with the first work and stands until `disconnect`, or until it turns out dead: then it is made anew,
 * once for each broker of the list and once more, and then for as long as `outagePatienceMs` says. What passes by itself is waited
 * for. Work may be done twice. Where no broker answers, nobody asks again for as long as it took to find out: half of the time is
 * left for the fallback queue.
 */
export class KafkaJsLink<C> {
  readonly #options: KafkaConnectionOptions;
  readonly #open: (session: KafkaJsSession) => Promise<Linked<C>>;
  readonly #openSocket: OpenSocket | undefined;
  #current: Attempt<C> | undefined;
  #turn = 0;
  /** Nobody answered: what was found, and until when nobody is asked again. */
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

  /** Does `work` over the connection; answers at `giveUpAt` at the latest. Never rejects. */
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

  /** Ends the connection; the next work makes another. Leaves no socket and no timer. Never rejects. */
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
    // Whoever waits for it hears of a failure; after `close` nobody may.
    ready.catch(() => undefined);
    return { brokers: this.#options.brokers(), ready, close };
  }

  /** Ends a connection, and forgets it unless another has taken its place already. */
  #drop(failed: Attempt<C>): void {
    if (this.#current === failed) this.#current = undefined;
    failed.close();
  }
}
