import type { InvocationOutcome } from '../../infra/local/event-source/decide.ts';
import { readAnswer } from '../../infra/local/event-source/read-answer.ts';
import type { ConsumerRecord } from '../../shared/record/consumer-record.ts';
import { parseKafkaEvent } from '../../shared/record/kafka-event.ts';
import { parseReleaseEvent, type ReleaseEvent } from '../../shared/release/release-event.ts';
import { type ReleaseAnswer, runRelease } from '../../shared/release/run-release.ts';
import type { Consumer, Ports, RecordContext } from '../../shared/runtime/consumer.ts';
import { Invocation } from '../../shared/runtime/invocation.ts';
import { processBatch } from '../../shared/runtime/process-batch.ts';
import { Host } from '../../shared/testing/host.ts';
import type { SimInvocation } from './history.ts';
import { hostPorts } from './host-ports.ts';
import { type LogRecord, TRUTH_HEADER } from './kafka-log.ts';
import { runScript } from './script-handler.ts';
import type { World } from './world.ts';

/** What an invocation does. */
type Process = (
  consumer: Consumer<unknown>,
  under: Invocation,
  ports: Ports,
  invocation: SimInvocation,
) => Promise<InvocationOutcome>;

/** The function's execution environments, and the invocations in them. */
export class Fleet {
  invocations = 0;
  readonly #world: World;
  readonly #idle: Host[] = [];
  readonly #underWay = new Map<Host, { readonly invocation: SimInvocation; readonly fail: () => void }>();
  #hosts = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /**
   * Gives an event to the function.
   *
   * @param payload - the event's JSON
   * @param onOutcome - called once, unless the world ends before
   */
  invoke(
    payload: string,
    parts: ReadonlyMap<string, readonly LogRecord[]>,
    onOutcome: (outcome: InvocationOutcome) => void,
  ): void {
    const process = async (consumer: Consumer<unknown>, under: Invocation, ports: Ports, invocation: SimInvocation) => {
      const { response } = await processBatch(consumer, parseKafkaEvent(JSON.parse(payload)), under, ports);
      const failures = response.batchItemFailures.map((failure) => failure.itemIdentifier);
      if (invocation.state === 'running') this.#world.emit({ type: 'answered', invocation, failures });
      return readAnswer(response);
    };
    this.#run(parts, process, onOutcome);
  }

  /** Releases a parked key, now and then twice: whoever asks may do so again without an answer. @throws where it did not answer */
  release(event: ReleaseEvent): Promise<ReleaseAnswer> {
    const { faults, scheduler } = this.#world;
    const payload = JSON.stringify(event);
    this.#world.releasing();
    if (faults.happens('deliveredTwice', 0.05))
      scheduler.in(
        faults.stream('release').between(1, 120_000),
        () => void this.#releaseOnce(payload).catch(() => undefined),
      );
    return this.#releaseOnce(payload);
  }

  #releaseOnce(payload: string): Promise<ReleaseAnswer> {
    return new Promise((resolve, reject) => {
      let answer: ReleaseAnswer | undefined;
      const process = async (
        consumer: Consumer<unknown>,
        under: Invocation,
        ports: Ports,
        invocation: SimInvocation,
      ): Promise<InvocationOutcome> => {
        answer = await runRelease(consumer, parseReleaseEvent(JSON.parse(payload)), under, ports);
        if (invocation.state === 'running') this.#world.emit({ type: 'answered', invocation, failures: [] });
        this.#world.emit({ type: 'said', text: `release: ${JSON.stringify(answer)}`, invocation });
        return { type: 'error' };
      };
      const told = () => (answer === undefined ? reject(new Error('a release did not answer')) : resolve(answer));
      this.#run(new Map(), process, told, true);
    });
  }

  #run(
    parts: ReadonlyMap<string, readonly LogRecord[]>,
    process: Process,
    onOutcome: (outcome: InvocationOutcome) => void,
    releases = false,
  ): void {
    const { scheduler, faults, settings, emit } = this.#world;
    const host = this.#host();
    const id = ++this.invocations;
    const invocation: SimInvocation = {
      id,
      host: host.name,
      startedAt: scheduler.now,
      deadline: scheduler.now + settings.timeoutMs,
      parts,
      sessions: new Map(),
      state: 'running',
      endedAt: undefined,
      disturbed: false,
      ...(releases && { releases }),
    };
    emit({ type: 'sent', invocation });
    let told = false;
    const tell = (outcome: InvocationOutcome, ms: number) => {
      if (told) return;
      told = true;
      scheduler.in(ms, () => onOutcome(outcome));
    };
    const chance = faults.stream('invocations');
    const callOff = scheduler.in(settings.timeoutMs, () => host.die('its deadline'));
    this.#underWay.set(host, {
      invocation,
      fail: () => {
        callOff();
        tell({ type: 'error' }, chance.pick([1, 500, 3_000]));
      },
    });
    const answer = (outcome: InvocationOutcome) => {
      callOff();
      this.#underWay.delete(host);
      invocation.state = 'answered';
      invocation.endedAt = scheduler.now;
      host.rest();
      this.#idle.push(host);
      tell(outcome, 2);
    };
    if (faults.happens('connectionLost', 0.02)) {
      scheduler.in(chance.between(100, 20_000), () => tell({ type: 'error' }, 0));
    }
    if (faults.happens('frozen', 0.08)) {
      scheduler.in(chance.between(5, 3_000), () => {
        if (!host.isAlive || this.#underWay.get(host)?.invocation !== invocation) return;
        invocation.disturbed = true;
        emit({ type: 'fault', kind: 'frozen', text: host.name, invocation });
        host.freeze(chance.pick([4_000, 16_000, 25_000, 45_000]));
      });
    }
    host.wake(() => this.#begin(host, invocation, process, answer), chance.chance(0.5));
  }

  /** Whether the invocation that claimed under this name still runs. */
  isAlive(owner: string): boolean {
    for (const { invocation } of this.#underWay.values())
      for (const session of invocation.sessions.values()) if (session.owner === owner) return true;
    return false;
  }

  #begin(host: Host, invocation: SimInvocation, process: Process, answer: (outcome: InvocationOutcome) => void): void {
    const world = this.#world;
    const ports = hostPorts(world, host, invocation);
    const remainingMs = invocation.deadline - world.scheduler.now;
    const run = async () => {
      const under = new Invocation(`request-${invocation.id}`, remainingMs, host.clock);
      world.begun(under);
      return process(this.#consumer(host, invocation), under, ports, invocation);
    };
    run().then(
      (outcome) => {
        if (host.isAlive) answer(outcome);
      },
      (error: unknown) => {
        if (!host.isAlive) return;
        world.emit({ type: 'said', text: String(error), invocation });
        if (!(error instanceof Error) || !('code' in error)) world.broken(error);
        answer({ type: 'error' });
      },
    );
  }

  #consumer(host: Host, invocation: SimInvocation): Consumer<unknown> {
    const { consumer, handlers, settings } = this.#world;
    const run = (given: readonly ConsumerRecord<unknown>[], context: RecordContext) =>
      runScript(
        handlers,
        host,
        invocation,
        given.map((record) => this.#truthOf(record)),
        given,
        context,
      );
    return {
      ...consumer,
      handler: settings.batched
        ? { type: 'batch', onBatch: run }
        : { type: 'record', onRecord: (record, context) => run([record], context) },
    };
  }

  #truthOf({ headers }: ConsumerRecord<unknown>): LogRecord {
    const record = this.#world.records[Number(headers.text(TRUTH_HEADER))];
    if (record === undefined) throw new Error('a record that nobody wrote');
    return record;
  }

  #host(): Host {
    const { scheduler, faults } = this.#world;
    const chance = faults.stream('hosts');
    const warm = this.#idle.findIndex(({ isAlive, isFrozen }) => isAlive && !isFrozen);
    if (chance.chance(0.7) && warm >= 0) {
      const [host] = this.#idle.splice(warm, 1);
      if (host !== undefined) return host;
    }
    const skewMs = faults.happens('clockSkew', 0.7) ? chance.pick([-500, -200, 200, 500]) : 0;
    return new Host(`h${++this.#hosts}`, skewMs, scheduler, (host, why) => this.#died(host, why));
  }

  #died(host: Host, why: string): void {
    const { truth, emit, scheduler } = this.#world;
    const underWay = this.#underWay.get(host);
    this.#underWay.delete(host);
    if (underWay !== undefined) {
      underWay.invocation.state = 'died';
      underWay.invocation.endedAt = scheduler.now;
      emit({ type: 'died', invocation: underWay.invocation, why });
    }
    for (const { invocation, record } of [...truth.live])
      if (invocation.host === host.name) emit({ type: 'ended', invocation, record, how: 'killed' });
    underWay?.fail();
  }
}
