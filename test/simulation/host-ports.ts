import type { DeadLetter } from '../../shared/decide/dead-letter.ts';
import type { ParkedPlace } from '../../shared/decide/progress.ts';
import { LockstepError } from '../../shared/errors.ts';
import type { FallbackEntry } from '../../shared/ports/fallback-queue.ts';
import type { IdempotencyKeyStore } from '../../shared/ports/idempotency-key-store.ts';
import type { LedgerStore } from '../../shared/ports/ledger-store.ts';
import type { ParkedKeys } from '../../shared/ports/parked-keys.ts';
import type { OutgoingRecord } from '../../shared/ports/record-producer.ts';
import { StoreError } from '../../shared/ports/store-error.ts';
import type { Log, LogFields } from '../../shared/ports/telemetry.ts';
import { partitionName } from '../../shared/record/item-identifier.ts';
import { eachOffset } from '../../shared/record/offset-ranges.ts';
import type { Ports } from '../../shared/runtime/consumer.ts';
import { fakeStackSecret } from '../../shared/testing/fake-stack-secret.ts';
import type { Host } from '../../shared/testing/host.ts';
import type { SimInvocation, SimSession, Writer } from './history.ts';
import { GROUP } from './ledger-world.ts';
import { parkedRecord, placeIn } from './letter-topic.ts';
import { Requests } from './requests.ts';
import type { World } from './world.ts';

/** What an invocation reaches outside itself: every request takes time and may go wrong. */
export function hostPorts(world: World, host: Host, invocation: SimInvocation): Ports {
  const { scheduler, faults, emit } = world;
  const by: Writer = { type: 'invocation', invocation, askedAt: 0 };
  const requests = new Requests(host, scheduler, faults, (kind, request) => {
    invocation.disturbed = true;
    emit({ type: 'fault', kind, text: request, invocation });
  });
  const chance = faults.stream('entropy');
  return {
    ledger: ledgerPort(world, host, invocation, requests),
    parkedKeys: parkedKeysPort(world, host, invocation, requests),
    keys: keysPort(world, requests),
    letters: {
      publish: (letter) =>
        requests.send('letter', async () => {
          world.letters.publish(letter);
          emit({ type: 'letter', by, where: 'topic', ...letterOf(world, letter) });
        }),
      disconnect: async () => undefined,
    },
    fallback: {
      send: (entry) => {
        const sentAt = world.scheduler.now;
        return requests.send('queue', async () => accept(world, by, entry, sentAt));
      },
    },
    producer: { produce: (outgoing) => produce(world, invocation, requests, outgoing) },
    clock: host.clock,
    secret: fakeStackSecret,
    entropy: { random: () => chance.next(), id: () => `owner-${world.nextOwner()}` },
    telemetry: { log: logOf(world, invocation), count: (metric, value = 1) => world.meter(metric, value) },
    sandbox: host.sandbox,
    endProcess: () => host.die('its own hand'),
    group: GROUP,
  };
}

function ledgerPort(world: World, host: Host, invocation: SimInvocation, requests: Requests): LedgerStore {
  const { table, scheduler } = world;
  const by = (askedAt: number): Writer => ({ type: 'invocation', invocation, askedAt });
  const asked = new WeakMap<object, Writer>();
  /** A repetition of a request says what it said the first time. */
  const askerOf = (request: object): Writer => {
    const asker = asked.get(request) ?? by(scheduler.elapsed);
    asked.set(request, asker);
    return asker;
  };
  const skewMs = host.clock.now() - scheduler.now;
  const generation = (place: string) => invocation.parts.get(place)?.[0]?.generation ?? 0;
  const sessionOf = (place: string, owner: string): SimSession => {
    const known = invocation.sessions.get(place);
    if (known !== undefined && known.owner === owner) return known;
    const session = { owner, epoch: undefined, leaseUntil: 0, releasedAt: undefined, fencedAt: undefined };
    invocation.sessions.set(place, session);
    return session;
  };
  return {
    async claim(request) {
      const place = partitionName(request.partition);
      const session = sessionOf(place, request.owner);
      const asker = askerOf(request);
      const answer = await requests.send('claim', () =>
        table.as(asker, generation(place), () => table.ledger.claim(request)),
      );
      if (answer.type === 'granted' || answer.item.owner === request.owner) {
        session.epoch = answer.item.epoch;
        session.leaseUntil = answer.item.leaseUntil - skewMs;
      }
      return answer;
    },
    async write(request) {
      const place = partitionName(request.partition);
      const session = sessionOf(place, request.owner);
      const asker = askerOf(request);
      const answer = await requests.send(nameOfWrite(request), async () => {
        const written = await table.as(asker, generation(place), () => table.ledger.write(request));
        if (written.type === 'written' && request.release) session.releasedAt = scheduler.now;
        if (written.type === 'refused' && written.item?.owner !== request.owner && session.releasedAt === undefined)
          session.fencedAt ??= scheduler.now;
        return written;
      });
      if (answer.type === 'written') session.leaseUntil = request.leaseUntil - skewMs;
      return answer;
    },
    read: (partition) => requests.send('read', () => table.ledger.read(partition)),
  };
}

function parkedKeysPort(world: World, host: Host, invocation: SimInvocation, requests: Requests): ParkedKeys {
  const { table, scheduler } = world;
  const skewMs = host.clock.now() - scheduler.now;
  const { parkedKeys } = table.ledger;
  return {
    look: (partition, keys) => requests.send('look', () => parkedKeys.look(partition, keys)),
    list: (partition) => requests.send('list', () => parkedKeys.list(partition)),
    read: (partition) => requests.send('parked read', () => parkedKeys.read(partition)),
    claim: (request) =>
      requests.send('parked claim', async () => {
        const by: Writer = { type: 'invocation', invocation, askedAt: scheduler.elapsed };
        const answer = await table.as(by, 0, () => parkedKeys.claim(request));
        if (answer.type !== 'granted') return answer;
        const { owner, leaseUntil } = request;
        invocation.sessions.set(partitionName(request.partition), {
          owner,
          epoch: answer.item.epoch,
          leaseUntil: leaseUntil - skewMs,
          releasedAt: undefined,
          fencedAt: undefined,
        });
        return answer;
      }),
  };
}

function nameOfWrite({ release, effects }: { release: boolean; effects?: readonly unknown[] }): string {
  if (release) return 'release';
  return effects === undefined ? 'write' : 'transaction';
}

function keysPort({ table: { keys } }: World, requests: Requests): IdempotencyKeyStore {
  return {
    claim: (wanted) => Promise.all(wanted.map((request) => requests.sendOne('key claim', () => keys.claim([request])))),
    complete: (wanted) =>
      Promise.all(wanted.map((completion) => requests.sendOne('key completion', () => keys.complete([completion])))),
    giveBack: (wanted) => Promise.all(wanted.map((one) => requests.sendOne('key return', () => keys.giveBack([one])))),
  };
}

/** A broker that cannot be reached is nobody's attempt; one that refuses for good is the record's. */
async function produce(
  world: World,
  invocation: SimInvocation,
  requests: Requests,
  outgoing: readonly OutgoingRecord[],
): Promise<void> {
  const records = outgoing.flatMap(({ headers }) => world.recordOf(headers) ?? []);
  try {
    await requests.send('produce', async () => {
      for (const record of records) world.emit({ type: 'produced', record });
    });
  } catch (cause) {
    for (const record of records) world.emit({ type: 'notProduced', record, invocation });
    if (cause instanceof StoreError && !cause.transient) throw cause;
    throw new LockstepError('BROKER_UNREACHABLE', 'a simulated broker did not answer', { cause });
  }
}

function accept(world: World, by: Writer, entry: FallbackEntry, sentAt: number): void {
  if (entry.type === 'letter') {
    world.emit({ type: 'letter', by, where: 'queue', ...letterOf(world, entry.letter) });
    world.relay.accept(entry);
    return;
  }
  const offsets = [...eachOffset(entry.offsets)];
  world.abandon(partitionName(entry.partition), offsets, 'missingRecord', entry, sentAt);
}

/** Whose letter it is. */
export function letterOf(
  world: World,
  letter: DeadLetter,
): { id: string; record: World['records'][number]; parked?: ParkedPlace; isGone: boolean } {
  const held = world.recordOf(letter.headers);
  const record = held ?? parkedRecord(world.truth, letter);
  if (record === undefined) throw new Error('a letter of no record');
  return { id: letter.id, record, isGone: held === undefined, ...placeIn(letter) };
}

function logOf(world: World, invocation: SimInvocation): Log {
  const say = (text: string, fields?: LogFields) => {
    const named = placeNamed(fields);
    const waitsFor = typeof fields?.['waitsFor'] === 'number' ? { waitsFor: fields['waitsFor'] } : {};
    if (named !== undefined) world.emit({ type: 'sign', place: named, ...waitsFor });
    if (world.isTraced) world.emit({ type: 'said', text: `${text} ${place(fields)}`, invocation });
  };
  return { debug: () => undefined, info: say, warn: say, error: say };
}

/** The partition that a line is about: by topic and number, or by name. */
function placeNamed({ topic, partition }: LogFields = {}): string | undefined {
  if (typeof partition === 'string') return partition;
  return typeof topic === 'string' && typeof partition === 'number' ? partitionName({ topic, partition }) : undefined;
}

function place(fields: object = {}): string {
  const shown = Object.entries(fields).filter(([name]) =>
    ['partition', 'offset', 'offsets', 'waitsFor', 'error', 'text'].includes(name),
  );
  return shown
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ')
    .slice(0, 120);
}
