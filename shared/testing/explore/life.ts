import { isThenable } from '../../record/decode.ts';
import { Host } from '../host.ts';
import type { Scheduler } from '../scheduler.ts';
import type { Trouble } from './trouble.ts';
import type { Gate } from './watched.ts';

/** What a process reports and asks. */
export interface LifeWatch {
  /** Called at each point of a run. Returns the fault at that point. */
  reached(life: Life, name: string, kind: PointKind, given?: readonly unknown[]): Trouble | undefined;
  /** Whether calls of this name return a promise; `undefined` where none has been made yet. */
  returns(name: string): Returns | undefined;
  /** A call has returned, or not, a promise. */
  returned(name: string, isPromise: boolean): void;
  tell(life: Life, text: string): void;
  /** Called when its process is dead, or when its mapping takes it for dead. */
  lost(life: Life): void;
}

/** `call`: by the handler, returns a promise. `step`: by the handler, returns at once. `request`: by Lockstep itself. */
export type PointKind = 'call' | 'step' | 'request';

/** What calls of a method return: a promise, something else, or now this and now that. */
export type Returns = 'promise' | 'value' | 'either';

/** Virtual milliseconds: longer than any lease. */
const FROZEN_MS = 100_000;
const SLOW_MS = 1_000;

/** One process of the function. After its death nothing that it does reaches the world. While it is frozen it does nothing. */
export class Life implements Gate {
  readonly name: string;
  readonly host: Host;
  /** Running calls of the handler, and answers for them that this kit holds back. */
  handlers = 0;
  kept = 0;
  /** It does work that nobody awaits. Lambda freezes it with that work once it has answered. */
  leavesSomething = false;
  readonly #watch: LifeWatch;
  readonly #scheduler: Scheduler;

  constructor(name: string, scheduler: Scheduler, watch: LifeWatch) {
    this.name = name;
    this.#scheduler = scheduler;
    this.#watch = watch;
    this.host = new Host(name, 0, scheduler, () => watch.lost(this));
  }

  /** Whether its handler does something that this kit cannot see. */
  get isBusy(): boolean {
    return this.host.isAlive && !this.host.isHeld && this.handlers > this.kept;
  }

  /** A request of Lockstep: to the ledger, to Kafka. */
  request<T>(name: string, perform: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.host.deliver(() => {
        const trouble = this.#watch.reached(this, name, 'request');
        if (trouble === 'diesBefore') return this.#die(trouble, `${this.name} dies before ${name}`);
        if (trouble === 'diesAfter') {
          void perform().catch(() => undefined);
          return this.#die(trouble, `${this.name} dies right after ${name}`);
        }
        this.#answer(perform(), resolve, reject);
      });
    });
  }

  call(name: string, given: readonly unknown[], perform: () => unknown): unknown {
    if (this.#watch.returns(name) === 'promise')
      return new Promise((resolve, reject) => {
        this.host.deliver(() => this.#perform(name, given, perform, resolve, reject));
      });
    const result = this.#step(name, given, perform);
    this.#watch.returned(name, isThenable(result));
    if (!isThenable(result)) return result;
    return new Promise((resolve, reject) => this.#answer(result, resolve, reject));
  }

  set(name: string, value: unknown, perform: () => boolean): boolean {
    return Boolean(this.#step(`${name} =`, [value], perform));
  }

  /** A call that returns at once: the process can only die before or after it. */
  #step(name: string, given: readonly unknown[], perform: () => unknown): unknown {
    if (!this.host.isAlive) throw new Error('this process has died');
    const trouble = this.#watch.reached(this, name, 'step', given);
    const result = trouble === 'diesBefore' ? undefined : perform();
    if (trouble === undefined) return result;
    this.#die(trouble);
    throw new Error('this process has died');
  }

  #perform(
    name: string,
    given: readonly unknown[],
    perform: () => unknown,
    resolve: (answer: unknown) => void,
    reject: (error: unknown) => void,
  ): void {
    const signal = signalIn(given);
    const trouble = this.#watch.reached(this, name, 'call', given);
    const doIt = async () => {
      const result = perform();
      this.#watch.returned(name, isThenable(result));
      return result;
    };
    switch (trouble) {
      case 'diesBefore':
        this.#die(trouble);
        break;
      case 'diesAfter':
        doIt().catch(() => undefined);
        this.#die(trouble);
        break;
      case 'fails':
        reject(new Error(`${name} failed (explore)`));
        break;
      case 'answerLost': {
        const lost = () => reject(new Error(`the answer of ${name} was lost (explore)`));
        this.#answer(doIt(), lost, lost);
        break;
      }
      case 'late':
        this.#late(name, signal, doIt, resolve, reject);
        break;
      case 'neverAnswers':
        doIt().catch(() => undefined);
        this.kept++;
        signal?.addEventListener('abort', () => this.#keepNoMore(() => reject(signal.reason)), { once: true });
        break;
      case 'freezesBefore':
      case 'thawsUnawareBefore':
        this.#freeze(trouble, () => {
          if (signal?.aborted) {
            this.#watch.tell(this, `${this.name} continues: its signal has fired, so the call does not happen`);
            return reject(signal.reason);
          }
          this.#watch.tell(this, `${this.name} continues: ${name} happens now`);
          this.#answer(doIt(), resolve, reject);
        });
        break;
      case 'freezesAfter':
      case 'thawsUnawareAfter': {
        const done = doIt();
        done.catch(() => undefined);
        this.#freeze(trouble, () => {
          this.#watch.tell(this, `${this.name} continues after this call`);
          this.#answer(done, resolve, reject);
        });
        break;
      }
      default:
        this.#answer(doIt(), resolve, reject);
    }
  }

  #die(trouble: Trouble, why?: string): void {
    if (why !== undefined) this.#watch.tell(this, `✝ ${why}`);
    this.host.die(trouble);
  }

  #late(
    name: string,
    signal: AbortSignal | undefined,
    doIt: () => Promise<unknown>,
    resolve: (answer: unknown) => void,
    reject: (error: unknown) => void,
  ): void {
    this.kept++;
    this.leavesSomething = true;
    this.host.in(SLOW_MS, () =>
      this.#keepNoMore(() => {
        this.leavesSomething = false;
        if (signal?.aborted) return reject(signal.reason);
        this.#watch.tell(this, `${name} happens only now`);
        this.#answer(doIt(), resolve, reject);
      }),
    );
  }

  /** It freezes, and the mapping gives its records to another process. Then it goes on. */
  #freeze(trouble: Trouble, goOn: () => void): void {
    this.kept++;
    const thawed = () => this.#keepNoMore(goOn);
    // At once, or when it has had time to notice that its lease is lost.
    if (trouble.startsWith('thawsUnaware')) this.#scheduler.in(FROZEN_MS, thawed);
    else this.#scheduler.in(FROZEN_MS + 1_000, () => this.host.deliver(thawed));
    this.host.freeze(FROZEN_MS);
    this.#watch.lost(this);
  }

  #keepNoMore(goOn: () => void): void {
    this.kept--;
    if (this.host.isAlive) goOn();
  }

  #answer<T>(result: PromiseLike<T>, resolve: (answer: T) => void, reject: (error: unknown) => void): void {
    result.then(
      (answer) => this.host.deliver(() => resolve(answer)),
      (error: unknown) => this.host.deliver(() => reject(error)),
    );
  }
}

/** The abort signal of a call, given alone or as an option. */
function signalIn(given: readonly unknown[]): AbortSignal | undefined {
  for (const one of given) {
    if (one instanceof AbortSignal) return one;
    if (typeof one !== 'object' || one === null) continue;
    for (const name of ['signal', 'abortSignal']) {
      const signal: unknown = Reflect.get(one, name);
      if (signal instanceof AbortSignal) return signal;
    }
  }
  return undefined;
}
