import { createServer, connect as openTcp, type Server, type Socket } from 'node:net';
import type { ISocketFactoryArgs } from 'kafkajs';
import { afterEach, describe, expect, test } from 'vitest';
import { KafkaJsLink } from '../../../../shared/adapters/kafka/kafkajs-link.ts';
import { systemClock } from '../../../../shared/adapters/system/system-clock.ts';

const silent = () => undefined;
const servers: Server[] = [];
let link: KafkaJsLink<string> | undefined;

afterEach(async () => {
  await link?.disconnect();
  for (const server of servers.splice(0)) server.close();
});

/** Takes connections and says nothing. */
async function portThatIsSilent(): Promise<string> {
  const server = createServer((socket) => socket.on('error', silent));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

/** A link to brokers that never answer, its sockets, and a clock of which the test decides how fast it runs. */
function linkTo(brokers: () => string, now: () => number = Date.now, outagePatienceMs = 0) {
  const sockets: Socket[] = [];
  link = new KafkaJsLink(
    {
      brokers,
      authentication: { auth: 'none' },
      clock: { ...systemClock, now },
      log: { debug: silent, info: silent, warn: silent, error: silent },
      connectTimeoutMs: 50,
      requestTimeoutMs: 50,
      outagePatienceMs,
    },
    async ({ kafka }) => {
      const producer = kafka.producer();
      await producer.connect();
      return { client: 'connected', goodbye: () => producer.disconnect() };
    },
    ({ host, port, onConnect }: ISocketFactoryArgs) => {
      const socket = openTcp({ host, port }, onConnect);
      sockets.push(socket);
      return socket;
    },
  );
  return { link, sockets };
}

const work = async (client: string) => client;

describe('a link to brokers of which none answers', () => {
  test('tries each of them, the first one twice, and closes what it opened', async () => {
    const brokers = [await portThatIsSilent(), await portThatIsSilent()];
    const { link: linked, sockets } = linkTo(() => brokers.join(','));
    const asked: string[] = [];
    for (const server of servers) server.on('connection', ({ localPort }) => asked.push(`127.0.0.1:${localPort}`));

    const end = await linked.use(work, Date.now() + 10_000);

    expect(end).toMatchObject({ type: 'failed', failure: { type: 'unreachable' } });
    // What the sockets were asked for may be seen after they are closed.
    await expect.poll(() => asked, { timeout: 120_000 }).toEqual([brokers[0], brokers[1], brokers[0]]);
    expect(sockets.every(({ destroyed }) => destroyed)).toBe(true);
  });

  test('asks no broker again for as long as it took to find out, unless other brokers are named', async () => {
    let brokers = await portThatIsSilent();
    let passed = 0;
    // The clock stands at 0 when the work begins and at 1,000 when it has failed.
    const { link: linked, sockets } = linkTo(
      () => brokers,
      () => passed,
    );
    const first = linked.use(work, 10_000);
    passed = 1_000;
    expect(await first).toMatchObject({ type: 'failed', failure: { type: 'unreachable' } });
    const opened = sockets.length;

    passed = 1_999;
    expect(await linked.use(work, 10_000)).toEqual(await first);
    expect(sockets).toHaveLength(opened);

    brokers = await portThatIsSilent();
    await linked.use(work, 10_000);
    expect(sockets.length).toBeGreaterThan(opened);
  });

  test('goes on asking for as long as its patience lasts, a quarter of the time left at most', async () => {
    const broker = await portThatIsSilent();
    let passed = 0;
    const { link: linked, sockets } = linkTo(
      () => broker,
      () => passed,
      60_000,
    );
    const asked = linked.use(work, 10_000);

    passed = 2_499;
    await expect.poll(() => sockets.length, { timeout: 120_000 }).toBeGreaterThan(3);
    passed = 2_500;
    expect(await asked).toMatchObject({ type: 'failed', failure: { type: 'unreachable' } });
  });

  test('asks again when that time is over', async () => {
    const broker = await portThatIsSilent();
    let passed = 0;
    const { link: linked, sockets } = linkTo(
      () => broker,
      () => passed,
    );
    const first = linked.use(work, 10_000);
    passed = 1_000;
    await first;
    const opened = sockets.length;

    passed = 2_000;
    expect(await linked.use(work, 10_000)).toMatchObject({ type: 'failed' });
    expect(sockets.length).toBeGreaterThan(opened);
  });

  test('asks again after it was ended: the next invocation starts from nothing', async () => {
    const broker = await portThatIsSilent();
    let passed = 0;
    const { link: linked, sockets } = linkTo(
      () => broker,
      () => passed,
    );
    const first = linked.use(work, 10_000);
    passed = 1_000;
    await first;
    const opened = sockets.length;

    await linked.disconnect();
    await linked.use(work, 10_000);

    expect(sockets.length).toBeGreaterThan(opened);
  });

  test('connects to others when the event names others', async () => {
    const one = await portThatIsSilent();
    const other = await portThatIsSilent();
    let brokers = one;
    const { link: linked } = linkTo(() => brokers);
    const asked: string[] = [];
    for (const server of servers) server.on('connection', ({ localPort }) => asked.push(`127.0.0.1:${localPort}`));
    void linked.use(work, Date.now() + 10_000);
    await expect.poll(() => asked, { timeout: 120_000 }).toContain(one);

    brokers = other;
    await linked.use(work, Date.now() + 10_000);

    await expect.poll(() => asked, { timeout: 120_000 }).toContain(other);
  });
});

test('a list without a broker is a failure, not an endless wait', async () => {
  const { link: linked } = linkTo(() => '');

  expect(await linked.use(work, Date.now() + 10_000)).toMatchObject({
    type: 'failed',
    failure: { reason: expect.stringContaining('brokers') },
  });
});
