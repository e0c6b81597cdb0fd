import { AsyncLocalStorage } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';
import { watchRejections } from '../../adapters/system/handler-scope.ts';
import { type Connection, invokeWith } from '../../connection.ts';
import type { KafkaBatchResponse } from '../../decide/batch-response.ts';
import type { LockstepHandler } from '../../lockstep-consumer.ts';
import type { DeliveredRecord } from '../../record/delivered-record.ts';
import type { KafkaEvent } from '../../record/kafka-event.ts';
import { tellEnd } from '../handler-end.ts';
import { lambdaContext } from '../lambda-context.ts';
import { placed } from '../record.ts';
import { Scheduler } from '../scheduler.ts';
import { pause } from '../virtual-clock.ts';
import { WorkUnderWay } from '../work-under-way.ts';
import { dataCopy } from './data-copy.ts';
import { eventsOf, resent } from './events.ts';
import { Life, type LifeWatch, type PointKind, type Returns } from './life.ts';
import { Outside } from './outside.ts';
import type { Plan } from './plan.ts';
import type { Known, Moment, Point, RunEnd } from './run-end.ts';
import type { Scenario } from './scenario.ts';
import { called } from './story.ts';
import { TROUBLES, type Trouble } from './trouble.ts';
import { watched } from './watched.ts';

const TIMEOUT_MS = 300_000;
const RETRY_MS = 1_000;
/** Virtual time and invocations after which a run counts as endless. */
const LONGEST_MS = 12 * 60 * 60 * 1_000;
const MOST_INVOCATIONS = 500;
/** Turns of the event loop in which a handler may still go on that waits for something that Node does not report. */
const QUIET_TURNS = 20;
/** Real milliseconds that a handler may wait for something real. */
const REAL_MS = 2_000;

/** Positions of the records whose handler runs. */
const HANDLING = new AsyncLocalStorage<readonly string[]>();

interface Process {
  readonly life: Life;
  readonly handler: Promise<LockstepHandler>;
  readonly connection: Connection;
  /** Tells the mapping that the running invocation failed. */
  fail: () => void;
}

/** One run of a scenario with a plan: Lambda's mapping, processes that may die or freeze, and everything that outlives them. */
export class TroubledRun<W extends object, O> implements LifeWatch {
  readonly #scheduler = new Scheduler();
  readonly #work: WorkUnderWay | undefined;
  readonly #scope = watchRejections((reason, records) => this.#abandoned(reason, records));
  readonly #outside: Outside;
  readonly #scenario: Scenario<W, O>;
  readonly #plan: Plan;
  readonly #known: Known;
  readonly #world: W;
  readonly #processes: Process[] = [];
  readonly #idle: Process[] = [];
  readonly #points: Point[] = [];
  readonly #story: Moment[] = [];
  #invocations = 0;
  #underWay = 0;
  #broken: { readonly error: unknown } | undefined;
  #fault: string | undefined;

  constructor(scenario: Scenario<W, O>, plan: Plan, known: Known) {
    this.#scenario = scenario;
    this.#plan = plan;
    this.#known = known;
    if (known.isReal !== false) this.#work = new WorkUnderWay();
    this.#world = scenario.world();
    this.#outside = new Outside(scenario.refuseEffect);
  }

  /**
   * @returns `undefined` where it must be run again: its handler waits for something that was not watched, or made a call that was new
   * @throws errors of making the handler, and of its invocation
   */
  async run(): Promise<RunEnd<O> | undefined> {
    let isFed = false;
    try {
      const feed = () => this.#feed();
      (this.#work === undefined ? feed() : this.#work.run(feed)).then(
        () => {
          isFed = true;
        },
        (error: unknown) => {
          this.#broken ??= { error };
        },
      );
      const isOver = () =>
        this.#broken !== undefined || this.#mustBeWatched || this.#isTooLong || (isFed && this.#underWay === 0);
      await this.#scheduler.run(isOver, () => this.#mayPass());
      if (this.#broken === undefined) this.#known.isReal ??= false;
      if (this.#mustBeWatched || this.#hasLearned) return undefined;
      if (this.#broken !== undefined) throw this.#broken.error;
      if (!isFed) this.#fault ??= 'the records are never all settled';
      const { seen, letters } = this.#outside;
      const isCalled = this.#points.some(({ kind }) => kind !== 'request');
      return {
        observed: dataCopy(this.#scenario.observe(this.#world, seen)),
        deadLetters: letters,
        points: this.#points,
        story: this.#story,
        touches: isCalled || seen.effects.length > 0 || seen.produced.length > 0,
        ...(this.#fault !== undefined && { fault: this.#fault }),
      };
    } finally {
      this.#scope.close();
      this.#work?.close();
    }
  }

  reached(life: Life, name: string, kind: PointKind, given: readonly unknown[] = []): Trouble | undefined {
    this.#points.push({ name, kind });
    const at = this.#points.length;
    const trouble = this.#plan.troubles.find((planned) => planned.at === at)?.trouble;
    if (kind !== 'request') {
      this.#moves++;
      const of = HANDLING.getStore();
      this.#tell(`${life.name}${of === undefined ? '' : `, ${nameOf(of)}`}: ${called(name, given)}`, false);
      if (trouble !== undefined) this.#tell(TROUBLES[trouble](life.name), true);
    }
    return trouble;
  }

  returns(name: string): Returns | undefined {
    return this.#known.returns.get(name);
  }

  returned(name: string, isPromise: boolean): void {
    const before = this.#known.returns.get(name);
    const now = isPromise ? 'promise' : 'value';
    if (before === now || before === 'either') return;
    this.#known.returns.set(name, before === undefined ? now : 'either');
    this.#hasLearned = true;
  }

  tell(_: Life, text: string): void {
    this.#tell(text, true);
  }

  lost(life: Life): void {
    const process = this.#processes.find((one) => one.life === life);
    process?.fail();
  }

  #tell(text: string, isTrouble: boolean): void {
    this.#story.push({ at: this.#scheduler.elapsed, text, isTrouble });
  }

  get #isTooLong(): boolean {
    return this.#scheduler.elapsed > LONGEST_MS || this.#invocations > MOST_INVOCATIONS;
  }

  /** Lambda's mapping: one event at a time, again until it is settled. */
  async #feed(): Promise<void> {
    const { records, batch, reading } = this.#plan;
    const all = placed(this.#scenario.records);
    let due: readonly KafkaEvent[] = eventsOf(
      records === undefined ? all : all.filter((_, index) => records.includes(index)),
      batch,
    );
    for (let event = due[0]; event !== undefined; event = due[0]) {
      const answer = await this.#deliver(event);
      const again = resent(event, answer, reading, due.slice(1));
      due = again.events;
      if (again.isRetry) await new Promise<void>((resolve) => void this.#scheduler.in(RETRY_MS, resolve));
    }
  }

  /** @returns `undefined` where the invocation failed or its answer was lost */
  async #deliver(event: KafkaEvent): Promise<KafkaBatchResponse | undefined> {
    const number = ++this.#invocations;
    const { twice, unheard } = this.#plan;
    if (twice === number) this.#tell('⚡ Lambda delivers this event twice at once', true);
    const answers = await Promise.all([this.#invoke(event), ...(twice === number ? [this.#invoke(event)] : [])]);
    if (unheard !== number) return answers.at(-1);
    this.#tell('⚡ the answer of this invocation does not reach Lambda', true);
    return undefined;
  }

  async #invoke(event: KafkaEvent): Promise<KafkaBatchResponse | undefined> {
    const process = this.#process();
    this.#making++;
    const handler = await process.handler;
    this.#making--;
    return new Promise((resolve) => {
      this.#underWay++;
      const { life, connection } = process;
      const { host } = life;
      const deadline = this.#scheduler.now + TIMEOUT_MS;
      const callOff = this.#scheduler.in(TIMEOUT_MS, () => host.die('its deadline'));
      let isEnded = false;
      const end = () => {
        if (isEnded) return;
        isEnded = true;
        this.#underWay--;
        callOff();
      };
      process.fail = () => {
        if (!host.isAlive) end();
        this.#scheduler.in(1, () => resolve(undefined));
      };
      const context = lambdaContext('explore', `request-${++this.#requests}`, () => deadline - this.#scheduler.now);
      const begin = () =>
        invokeWith(handler, connection, event, context).then(
          (answer) =>
            host.deliver(() => {
              end();
              this.#scheduler.in(1, () => resolve(answer));
              this.#rest(process);
            }),
          (error: unknown) => {
            if (host.isAlive) this.#broken ??= { error };
          },
        );
      host.wake(() => void begin(), true);
    });
  }

  #requests = 0;

  /** Lambda keeps the process frozen until it needs it. A process with unfinished work is never used again. */
  #rest(process: Process): void {
    const { life } = process;
    life.host.rest();
    if (!life.leavesSomething) {
      this.#idle.push(process);
      return;
    }
    this.#tell(`${life.name} has answered. Lambda freezes it, and never uses it again`, true);
    life.host.die('never used again');
  }

  #process(): Process {
    const warm = this.#plan.turns && this.#processes.length < 2 ? undefined : this.#idle.shift();
    if (warm?.life.host.isAlive) return warm;
    const life = new Life(`process ${this.#processes.length + 1}`, this.#scheduler, this);
    const made = (async () => this.#scenario.handler(watched(this.#world, life)))();
    const process: Process = {
      life,
      handler: made,
      connection: this.#connection(life),
      fail: () => undefined,
    };
    this.#processes.push(process);
    return process;
  }

  #connection(life: Life): Connection {
    const scope = {
      run: (records: readonly DeliveredRecord[], call: () => unknown) => this.#handle(life, records, call),
    };
    return {
      environment: { consumerGroup: 'explore', failureMode: 'report' },
      deployment: undefined,
      ports: this.#outside.ports(life, scope),
      begin: () => undefined,
      flush: () => undefined,
    };
  }

  /** Starts, calls and ends of handlers. */
  #moves = 0;
  #hungAt: number | undefined;
  #mustBeWatched = false;
  /** Handlers that are being made, as by an import. */
  #making = 0;
  /** A call was new, so nothing could go wrong at it. */
  #hasLearned = false;

  #handle(life: Life, records: readonly DeliveredRecord[], call: () => unknown): unknown {
    life.handlers++;
    this.#moves++;
    const positions = records.map(({ position }) => position);
    return tellEnd(
      () => HANDLING.run(positions, () => this.#scope.run(records, call)),
      (succeeded) => {
        life.handlers--;
        this.#moves++;
        if (!succeeded && life.host.isAlive) this.#tell(`${life.name}, ${nameOf(positions)}: the handler fails`, true);
      },
    );
  }

  #abandoned(reason: unknown, [first]: readonly DeliveredRecord[]): boolean {
    const why = reason instanceof Error ? reason.message : String(reason);
    this.#fault ??= `a promise that the handler of ${first?.position} started and nobody awaited was rejected: ${why}`;
    return true;
  }

  /** Time stands still while a handler does something that this kit cannot see. */
  async #mayPass(): Promise<void> {
    while (this.#making > 0 && this.#broken === undefined) await pause(1);
    const isBusy = () => this.#processes.some(({ life }) => life.isBusy);
    const { isIdle = true, isCalm = true } = this.#work ?? {};
    if (!isBusy() && isCalm) return;
    if (!isIdle) this.#known.isReal = true;
    if (isIdle && this.#moves === this.#hungAt) return;
    const since = performance.now();
    for (let quiet = 0; quiet <= QUIET_TURNS && performance.now() - since < REAL_MS; ) {
      await pause(1);
      if (!isBusy() && (this.#work?.isCalm ?? true)) break;
      quiet = (this.#work?.isIdle ?? true) ? quiet + 1 : 0;
    }
    if (!isBusy()) this.#hungAt = undefined;
    // It hangs, or it waits for something real that was not watched.
    else if (this.#work === undefined) this.#mustBeWatched = this.#known.isReal = true;
    // A handler that has hung goes on hanging while time passes.
    else this.#hungAt = this.#moves;
    this.#work?.rested();
  }
}

function nameOf(positions: readonly string[]): string {
  const [first, ...others] = positions;
  return others.length === 0 ? `${first}` : `${first} and ${others.length} more`;
}
