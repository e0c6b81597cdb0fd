import { LockstepError } from '../../shared/errors.ts';
import { DEFAULTS } from '../../shared/options.ts';
import type { FallbackEntry } from '../../shared/ports/fallback-queue.ts';
import { relayEntry } from '../../shared/relay/relay-entry.ts';
import type { RelayPolicy } from '../../shared/relay/relay-ports.ts';
import { sweep } from '../../shared/relay/sweep.ts';
import { Invocation } from '../../shared/runtime/invocation.ts';
import { Host } from '../../shared/testing/host.ts';
import { relayPorts } from './relay-world.ts';
import type { World } from './world.ts';

const TIMEOUT_MS = 60_000;
const RETRY_MS = 10_000;
/** An entry that is not due is not renewed, so the queue deletes it: after 14 days, here sooner. */
const NOT_DUE_KEPT_MS = 3_600_000;
const RELEASE = { everyMs: 20_000, maxEveryMs: 300_000, maxRounds: 3, maxInterruptions: 3 };

function isNotDue(error: unknown): boolean {
  return error instanceof LockstepError && error.code === 'RELAY_ENTRY_NOT_DUE';
}

/** The fallback queue, and the relay's own function behind it: the real one, in hosts that die too. */
export class RelayDesk {
  readonly #world: World;
  readonly #policy: RelayPolicy;
  #waiting = 0;
  #runs = 0;

  constructor(world: World) {
    this.#world = world;
    const { maxAttempts } = world.settings;
    this.#policy = {
      onReplay: 'halt',
      missingRecordTimeoutMs: DEFAULTS.missingRecordTimeoutMs,
      leaseMs: DEFAULTS.leaseMs,
      checkpointMs: DEFAULTS.checkpointMs,
      busyWaitMs: DEFAULTS.busyWaitMs,
      deadLetterHeaders: [],
      maxDeadLetterBytes: DEFAULTS.maxDeadLetterBytes,
      valuesDecodedByMapping: false,
      maxAttempts,
      park: world.consumer.policy.retry.park,
      release: world.settings.releases ? RELEASE : undefined,
    };
  }

  get isIdle(): boolean {
    return this.#waiting === 0;
  }

  /** The queue has accepted an entry: it stays until the relay is done with it. */
  accept(entry: FallbackEntry): void {
    const { scheduler, faults } = this.#world;
    this.#waiting++;
    const deletedAt = scheduler.now + NOT_DUE_KEPT_MS;
    const done = () => {
      this.#waiting--;
      this.#world.restedMaybe();
    };
    const attempt = (): void => {
      this.#run(
        (invocation, ports) => relayEntry(entry, ports, this.#policy, invocation),
        done,
        (error) => (isNotDue(error) && scheduler.now >= deletedAt ? done() : void scheduler.in(RETRY_MS, attempt)),
      );
    };
    scheduler.in(faults.stream('relay').pick([100, 5_000, 30_000]), attempt);
  }

  /** The schedule. */
  sweep(onEnd: () => void): void {
    this.#run((invocation, ports) => sweep(ports, this.#policy, invocation), onEnd, onEnd);
  }

  #run(
    work: (invocation: Invocation, ports: ReturnType<typeof relayPorts>) => Promise<void>,
    onDone: () => void,
    onFailed: (error?: unknown) => void,
  ): void {
    const { scheduler, faults } = this.#world;
    const skewMs = faults.happens('clockSkew', 0.5) ? faults.stream('relay').pick([-500, 500]) : 0;
    const name = `relay ${++this.#runs}`;
    const host = new Host(name, skewMs, scheduler, () => onFailed());
    const callOff = scheduler.in(TIMEOUT_MS, () => host.die('its deadline'));
    host.wake(() => {
      const invocation = new Invocation(name, TIMEOUT_MS, host.clock);
      this.#world.begun(invocation);
      const end = (how: () => void) => {
        if (!host.isAlive) return;
        callOff();
        invocation.end();
        host.rest();
        how();
      };
      work(invocation, relayPorts(this.#world, host)).then(
        () => end(onDone),
        (error: unknown) => end(() => onFailed(error)),
      );
    }, false);
  }
}
