import { execFile } from 'node:child_process';
import { createServer, connect as openTcp, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ISocketFactoryArgs } from 'kafkajs';
import { afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { SHORT_LIVED_JAVA } from '../../infra/local/short-lived-java.ts';
import { makeTopics } from '../../infra/local/topics.ts';
import {
  type KafkaProducerConnection,
  kafkaJsProducerConnection,
  type SentRecord,
} from '../../shared/adapters/kafka/kafkajs-producer-connection.ts';
import { systemClock } from '../../shared/adapters/system/system-clock.ts';

const run = promisify(execFile);
const TOPIC = 'connection-letters';
const { bootstrapServers, toolsClassPath } = inject('localCloud');
const RECORD: SentRecord = { topic: TOPIC, key: Buffer.from('k'), value: Buffer.from('v'), headers: [], partition: 0 };
const silent = () => undefined;

let open: KafkaProducerConnection | undefined;
let server: Server | undefined;

beforeAll(() => makeTopics(bootstrapServers, [{ topicName: TOPIC, partitions: 3 }]));
afterEach(async () => {
  await open?.disconnect();
  server?.close();
  server = undefined;
});

/** A connection whose sockets are kept here. */
function connection(brokers = bootstrapServers, requestTimeoutMs = 5_000) {
  const sockets: Socket[] = [];
  open = kafkaJsProducerConnection(
    {
      brokers: () => brokers,
      authentication: { auth: 'none' },
      clock: systemClock,
      log: { debug: silent, info: silent, warn: silent, error: silent },
      requestTimeoutMs,
    },
    ({ host, port, onConnect }: ISocketFactoryArgs) => {
      const socket = openTcp({ host, port }, onConnect);
      sockets.push(socket);
      return socket;
    },
  );
  return { connection: open, sockets };
}

const inSeconds = (seconds: number) => Date.now() + seconds * 1_000;

describe('a Kafka connection', () => {
  test('is made with the first record and serves all others', async () => {
    const { connection: opened, sockets } = connection();
    expect(sockets).toHaveLength(0);

    const ends = [];
    for (let i = 0; i < 10; i++) ends.push(await opened.send([RECORD], inSeconds(10)));

    expect(ends.map(({ type }) => type)).toEqual(Array(10).fill('done'));
    expect(sockets).toHaveLength(1);
  });

  test('serves several at once', async () => {
    const { connection: opened, sockets } = connection();

    const ends = await Promise.all(Array.from({ length: 20 }, () => opened.send([RECORD], inSeconds(10))));

    expect(ends.map(({ type }) => type)).toEqual(Array(20).fill('done'));
    expect(sockets).toHaveLength(1);
  });

  test.each<[string, (socket: Socket | undefined) => void]>([
    ['closed', (socket) => socket?.emit('end')],
    ['reset', (socket) => socket?.destroy(new Error('read ECONNRESET'))],
  ])('is opened again when the broker has %s it meanwhile', async (_, cut) => {
    const { connection: opened, sockets } = connection();
    await opened.send([RECORD], inSeconds(10));
    cut(sockets[0]);

    expect(await opened.send([RECORD], inSeconds(10))).toEqual({ type: 'done', value: { stampedOnAppend: false } });
    expect(sockets.length).toBeGreaterThan(1);
  });

  test('is opened again when it is dead without a sign', async () => {
    const { connection: opened, sockets } = connection(bootstrapServers, 300);
    await opened.send([RECORD], inSeconds(10));
    // As after a freeze of hours: what is written reaches nobody, and no answer ever comes.
    if (sockets[0] !== undefined) sockets[0].write = () => true;

    expect(await opened.send([RECORD], inSeconds(10))).toEqual({ type: 'done', value: { stampedOnAppend: false } });
    expect(sockets[0]?.destroyed).toBe(true);
  });

  test('connects again after it was ended', async () => {
    const { connection: opened, sockets } = connection();
    await opened.send([RECORD], inSeconds(10));
    await opened.disconnect();
    expect(sockets.every(({ destroyed }) => destroyed)).toBe(true);

    expect(await opened.send([RECORD], inSeconds(10))).toEqual({ type: 'done', value: { stampedOnAppend: false } });
  });

  test('finds a living broker behind a dead one in the list', async () => {
    const dead = await portThatRefuses();

    for (const brokers of [`${dead},${bootstrapServers}`, `${bootstrapServers},${dead}`]) {
      const { connection: opened } = connection(brokers);
      expect(await opened.send([RECORD], inSeconds(10))).toEqual({ type: 'done', value: { stampedOnAppend: false } });
      await opened.disconnect();
    }
  });

  test('is late, and closed, when no broker answers in time', async () => {
    const { connection: opened, sockets } = connection(await portThatIsSilent());

    expect(await opened.send([RECORD], Date.now() + 300)).toMatchObject({ type: 'late' });
    expect(sockets.every(({ destroyed }) => destroyed)).toBe(true);
  });

  test('asks no broker when there is no time left', async () => {
    const { connection: opened, sockets } = connection();

    expect(await opened.send([RECORD], Date.now() - 1)).toEqual({ type: 'late', failure: undefined });
    expect(sockets).toHaveLength(0);
  });

  test('fails at once for a broker that refuses connections', async () => {
    const { connection: opened } = connection(await portThatRefuses());

    expect(await opened.send([RECORD], inSeconds(10))).toMatchObject({
      type: 'failed',
      failure: { type: 'unreachable', reason: expect.stringContaining('ECONNREFUSED') },
    });
  });

  test('can be ended while it is being made', async () => {
    const { connection: opened, sockets } = connection(await portThatIsSilent());
    const sending = opened.send([RECORD], Date.now() + 500);
    await expect.poll(() => sockets.length).toBe(1);

    await opened.disconnect();

    expect((await sending).type).not.toBe('done');
    await expect.poll(() => sockets.every(({ destroyed }) => destroyed)).toBe(true);
  });
});

describe('records written over a Kafka connection', () => {
  test('keep the order and the duplicates of their headers', async ({ skip }) => {
    if (toolsClassPath === undefined) return skip("needs Kafka's own tools");
    const topic = 'connection-headers';
    await makeTopics(bootstrapServers, [{ topicName: topic, partitions: 1 }]);
    const header = (name: string, value: string) => ({ name, value: Buffer.from(value) });
    const headers = [header('b', '1'), header('7', 'x'), header('a', ''), header('b', '2'), header('__proto__', 'p')];
    await connection().connection.send([{ ...RECORD, topic, headers, timestamp: 1_795_251_600_000 }], inSeconds(10));

    const { stdout } = await run('java', [
      ...SHORT_LIVED_JAVA,
      '-cp',
      toolsClassPath,
      'org.apache.kafka.tools.consumer.ConsoleConsumer',
      ...['--bootstrap-server', bootstrapServers, '--topic', topic, '--from-beginning', '--max-messages', '1'],
      ...['--property', 'print.headers=true', '--property', 'print.key=true', '--property', 'print.timestamp=true'],
    ]);

    expect(stdout.trim()).toBe('CreateTime:1795251600000\tb:1,7:x,a:,b:2,__proto__:p\tk\tv');
  });

  test('go by key where they name no partition, several topics at once', async () => {
    const other = 'connection-shipments';
    await makeTopics(bootstrapServers, [{ topicName: other, partitions: 3 }]);
    const keyed = (topic: string, key: string): SentRecord => ({
      topic,
      key: Buffer.from(key),
      value: null,
      headers: [],
    });

    expect(
      await connection().connection.send([keyed(other, 'a'), keyed(TOPIC, 'b'), keyed(other, 'c')], inSeconds(10)),
    ).toEqual({ type: 'done', value: { stampedOnAppend: false } });
  });
});

describe('a process that has written a letter', () => {
  test.each([
    ['to a living broker', async () => bootstrapServers, '10000', 'acknowledged'],
    ['to a broker that refuses connections', portThatRefuses, '10000', 'BROKER_UNREACHABLE'],
    ['to a broker that never answers', portThatIsSilent, '500', 'BROKER_UNREACHABLE'],
  ])('%s ends by itself: no timer, no socket, no work while idle, no warning', async (_, brokers, patienceMs, end) => {
    const script = join(import.meta.dirname, 'fixtures/publish-and-end.ts');

    const { stdout, stderr } = await run(process.execPath, [script, await brokers(), TOPIC, patienceMs]);

    expect(JSON.parse(stdout)).toEqual({ end, timersWhileIdle: 0, left: [] });
    expect(stderr).toBe('');
  });
});

/** Somebody listened there, and does no longer. */
async function portThatRefuses(): Promise<string> {
  const where = await portThatIsSilent();
  await new Promise((resolve) => server?.close(resolve));
  return where;
}

/** Takes connections and says nothing. */
async function portThatIsSilent(): Promise<string> {
  const listening = createServer((socket) => socket.on('error', silent));
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const address = listening.address();
  return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}
