import type { UnknownFate } from '../../shared/ports/idempotency-key-store.ts';
import { StoreError } from '../../shared/ports/store-error.ts';
import type { Host } from '../../shared/testing/host.ts';
import type { Random } from '../../shared/testing/random.ts';
import type { Scheduler } from '../../shared/testing/scheduler.ts';
import type { FaultKind } from './fault-kinds.ts';
import type { Faults } from './faults.ts';

/** What a request's fault is told to. */
export type OnFault = (kind: FaultKind, request: string) => void;

/**
 * The way from a host to what it talks to, and back. A request that was sent arrives even if its sender dies meanwhile; an
 * answer reaches nobody then.
 */
export class Requests {
  readonly #host: Host;
  readonly #scheduler: Scheduler;
  readonly #faults: Faults;
  readonly #chance: Random;
  readonly #onFault: OnFault;

  constructor(host: Host, scheduler: Scheduler, faults: Faults, onFault: OnFault) {
    this.#host = host;
    this.#scheduler = scheduler;
    this.#faults = faults;
    this.#chance = faults.stream('latency');
    this.#onFault = onFault;
  }

  /** One request of many that share a call: what goes wrong with it says nothing of the others. */
  async sendOne<T>(name: string, apply: () => Promise<readonly T[]>): Promise<T | UnknownFate> {
    try {
      const [answer] = await this.send(name, apply);
      if (answer === undefined) throw new TypeError(`${name} was not answered`);
      return answer;
    } catch (error) {
      if (error instanceof StoreError) return { type: 'unknown', error };
      throw error;
    }
  }

  /** @param apply - takes effect when it is called */
  send<T>(name: string, apply: () => Promise<T>): Promise<T> {
    const host = this.#host;
    const chance = this.#chance;
    return new Promise((resolve, reject) => {
      if (!host.isAlive) return;
      const refuse = (ms: number, transient = true, notApplied = false) => {
        host.in(ms, () => reject(new StoreError(`${name} went wrong`, { transient, notApplied })));
      };
      const there = chance.between(1, 8);
      const back = chance.between(1, 8);
      const done = (ms: number) => {
        this.#scheduler.in(ms, () => {
          apply().then(
            (answer) => void host.in(back, () => resolve(answer)),
            (error: unknown) => void host.in(back, () => reject(error)),
          );
        });
      };
      /** Takes effect, and nobody hears of it. */
      const unheard = (ms: number) => this.#scheduler.in(ms, () => void apply().catch(() => undefined));
      if (name === 'transaction' && this.#faults.happens('conflicted', 0.2)) {
        // Cancelled, so certainly not applied: no reason to let go of anything.
        host.in(there + back, () =>
          reject(new StoreError('TransactionConflict', { transient: true, notApplied: true })),
        );
        return;
      }
      const fault = this.#faults.atRequest(name);
      if (fault !== undefined) this.#onFault(fault, name);
      switch (fault) {
        case 'refused':
          refuse(there + back);
          break;
        case 'throttled':
          refuse(there, true, true);
          break;
        case 'denied':
          refuse(there + back, false);
          break;
        case 'slow':
          done(chance.between(500, 8_000));
          break;
        case 'answerLost':
          unheard(there);
          refuse(1_000);
          break;
        case 'landsLate':
          unheard(chance.between(1_100, 9_000));
          refuse(1_000);
          break;
        case 'diesBefore':
          host.die(`before ${name}`);
          break;
        case 'diesAfter':
          this.#scheduler.in(there, () => {
            void apply().catch(() => undefined);
            host.die(`after ${name}`);
          });
          break;
        default:
          done(there);
      }
    });
  }
}
