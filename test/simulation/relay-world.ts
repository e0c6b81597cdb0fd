import type { OriginalRecordAt, OriginalSlice } from '../../shared/ports/original-reader.ts';
import type { TopicLog } from '../../shared/ports/topic-log.ts';
import { DeliveredRecord } from '../../shared/record/delivered-record.ts';
import { partitionName, type TopicPartition } from '../../shared/record/item-identifier.ts';
import { eachOffset } from '../../shared/record/offset-ranges.ts';
import type { RelayPorts } from '../../shared/relay/relay-ports.ts';
import { fakeStackSecret } from '../../shared/testing/fake-stack-secret.ts';
import type { Host } from '../../shared/testing/host.ts';
import type { Writer } from './history.ts';
import { type PolledRecord, TOPIC } from './kafka-log.ts';
import { GROUP } from './ledger-world.ts';
import { LETTER_TOPIC, parkedRecord, placeIn } from './letter-topic.ts';
import { Requests } from './requests.ts';
import type { World } from './world.ts';

const BY: Writer = { type: 'relay' };
/** Records that one answer of the broker holds. */
const SLICE = 3;

/** What the relay reaches, each request with its faults. */
export function relayPorts(world: World, host: Host): RelayPorts {
  const { scheduler, faults, table, truth, emit } = world;
  const requests = new Requests(host, scheduler, faults, (kind, request) => {
    emit({ type: 'fault', kind, text: `${host.name}, ${request}` });
  });
  const { parkedKeys } = table.ledger;
  const chance = faults.stream('entropy');
  const say = (text: string) => {
    if (world.isTraced) emit({ type: 'mapping', text: `${host.name}: ${text}` });
  };
  return {
    ledger: {
      claim: (request) =>
        requests.send('relay claim', () => table.as(BY, truth.generation, () => table.ledger.claim(request))),
      write: (request) =>
        requests.send('relay write', () => table.as(BY, truth.generation, () => table.ledger.write(request))),
      read: (partition) => requests.send('relay read', () => table.ledger.read(partition)),
    },
    parkedKeys: {
      look: (partition, keys) => requests.send('relay look', () => parkedKeys.look(partition, keys)),
      list: (partition) => requests.send('relay list', () => parkedKeys.list(partition)),
      read: (partition) => requests.send('relay parked read', () => parkedKeys.read(partition)),
      claim: (request) =>
        requests.send('relay parked claim', () => table.as(BY, truth.generation, () => parkedKeys.claim(request))),
    },
    release: (event) => world.fleet.release(event),
    keys: { complete: (completions) => requests.send('relay completion', () => table.keys.complete(completions)) },
    letters: {
      publish: (letter) =>
        requests.send('relay letter', async () => {
          world.letters.publish(letter);
          const held = world.recordOf(letter.headers);
          const record = held ?? parkedRecord(truth, letter);
          const isGone = held === undefined;
          // The letter of offsets that Kafka holds no more stands for no record.
          if (record !== undefined)
            emit({ type: 'letter', by: BY, where: 'topic', id: letter.id, record, isGone, ...placeIn(letter) });
        }),
      disconnect: async () => undefined,
    },
    fallback: {
      send: (entry) =>
        requests.send('relay queue', async () => {
          if (entry.type === 'abandoned')
            world.abandon(partitionName(entry.partition), [...eachOffset(entry.offsets)], 'sweep', entry);
        }),
    },
    log: topicLog(world, requests),
    clock: host.clock,
    secret: fakeStackSecret,
    entropy: { random: () => chance.next(), id: () => `${world.nextOwner()}` },
    telemetry: {
      log: { debug: () => undefined, info: say, warn: say, error: say },
      count: (metric, value = 1) => world.meter(metric, value),
    },
    cluster: table.cluster,
    group: GROUP,
    topic: TOPIC,
    deadLetterTopic: LETTER_TOPIC,
  };
}

function topicLog({ topic, mapping, letters }: World, requests: Requests): TopicLog {
  const logOf = (place: TopicPartition) => topic.logs.get(partitionName(place));
  return {
    read: async () => ({ type: 'absent' }),
    disconnect: async () => undefined,
    readRange: (place, { from, to }) =>
      requests.send('read back', async (): Promise<OriginalSlice> => {
        const log = logOf(place);
        const held = (log?.records ?? []).filter(({ offset }) => offset >= from && offset <= to);
        const records = held.slice(0, SLICE);
        const next = held.length > SLICE ? (records.at(-1)?.offset ?? to) + 1 : to + 1;
        return { records: records.map(originalOf), next, logStart: log?.start ?? 0 };
      }),
    // Of the dead-letter topic; the source is read slice by slice.
    passThrough: letters.log.passThrough,
    bounds: (name) =>
      name === LETTER_TOPIC
        ? letters.log.bounds(name, 0)
        : requests.send('bounds', async () =>
            [...topic.logs.values()].map(({ partition, start, end }) => ({ partition, start, end })),
          ),
    groups: async () => [GROUP],
    committed: () =>
      requests.send('committed', async () => {
        const logs = [...topic.logs.values()];
        return new Map(logs.map(({ partition, place }) => [partition, mapping.committed.get(place) ?? 0]));
      }),
  };
}

function originalOf({ offset, json }: PolledRecord): OriginalRecordAt {
  const { keyBytes, valueBytes, headers, timestamp } = new DeliveredRecord(JSON.parse(json));
  return { offset, record: { key: keyBytes, value: valueBytes, headers: [...headers], timestamp } };
}
