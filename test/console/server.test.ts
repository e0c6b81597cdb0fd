import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Hello, Look, RunView } from '../../console/messages.ts';
import { type ConsoleOptions, type RunningConsole, startConsole } from '../../console/server.ts';
import { OperatorError } from '../../shared/operator-errors.ts';
import { deployedConsumer, type FakeCloud, fakeTarget } from './fake-target.ts';

const LETTER = {
  id: 'letter-1',
  origin: 'orders-0@1',
  key: '<script>',
  errorName: 'Error',
  errorMessage: 'no',
  value: 'the value',
  headers: [{ name: 'x-error-stack', value: 'Error: no' }],
};
const REPORT = { selected: 2, done: 0, left: 0, refused: {}, stopped: [], otherGroups: [] };

let cloud: FakeCloud;
let running: RunningConsole;
const redriven: unknown[] = [];
/** Lets a redrive go on. */
let goOn = Promise.withResolvers<void>();

beforeEach(async () => {
  redriven.length = 0;
  goOn = Promise.withResolvers();
  cloud = {
    consumers: [deployedConsumer('Orders'), deployedConsumer('Payments')],
    mapping: { State: 'Enabled' },
    asked: [],
    operate: async ({ name }, request) => {
      switch (request.type) {
        case 'topics':
          if (name === 'Payments') throw new OperatorError('OPERATOR_FAILED', 'the credentials have expired');
          return { partitions: [{ partition: 0, start: 0, end: 12, committed: 5 }], letters: 1, openLetters: 1 };
        case 'letter':
          return { letter: request.id === 'letter-1' ? LETTER : null };
        case 'records':
          return { records: [{ value: Buffer.from('{"a":1}').toString('base64') }], isComplete: true };
        case 'redrive':
        case 'purge':
          if (request.dryRun) return REPORT;
          await goOn.promise;
          redriven.push(request);
          return { ...REPORT, done: 2 };
        default:
          throw new Error(`nobody answers ${request.type}`);
      }
    },
  };
  running = await start({});
});
afterEach(async () => {
  goOn.resolve();
  await running.stop();
});

function start(options: Partial<ConsoleOptions>): Promise<RunningConsole> {
  return startConsole({
    open: async () => fakeTarget(cloud),
    target: '--local',
    local: true,
    readOnly: false,
    noValues: false,
    port: 0,
    ...options,
  });
}

interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** A request as a program may make it, with any header. */
async function send(
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: unknown,
  { address } = running,
): Promise<Answered> {
  const { hostname, port } = new URL(address);
  const method = body === undefined ? 'GET' : 'POST';
  const sent = httpRequest({ hostname, port, path, method, headers });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const part of response) text += part;
  return { status: response.statusCode, headers: response.headers, text };
}

/** Exchanges the token. @returns a page’s requests */
async function openPage(of = running) {
  const { search, origin } = new URL(of.address);
  const { status, headers } = await send(`/${search}`, {}, undefined, of);
  expect([status, headers['location']]).toEqual([303, '/']);
  const [cookie = ''] = [headers['set-cookie'] ?? ''].flat();
  expect(cookie).toMatch(/^lockstep-console-\d+=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/);
  const own = { cookie: cookie.split(';')[0] ?? '' };
  const ask = async (path: string) => {
    const { text, status: code } = await send(path, own, undefined, of);
    return { status: code, body: JSON.parse(text) };
  };
  const change = async (path: string, body: unknown) => {
    const answer = await send(path, { ...own, origin, 'content-type': 'application/json' }, body, of);
    return { status: answer.status, body: JSON.parse(answer.text) };
  };
  return { own, ask, change, origin };
}

/** The messages of a live connection, as they come. */
async function* liveOf(cookie: Readonly<Record<string, string>>, { address } = running) {
  const { hostname, port } = new URL(address);
  const sent = httpRequest({ hostname, port, path: '/api/live', headers: cookie }).end();
  const [response] = await once(sent, 'response');
  let text = '';
  try {
    for await (const part of response) {
      text += part;
      const messages = text.split('\n\n');
      text = messages.pop() ?? '';
      for (const message of messages) {
        const [, event = '', data = 'null'] = /^event: (\w+)\ndata: (.*)$/.exec(message) ?? [];
        if (event !== '') yield { event, message: JSON.parse(data) as Hello | Look | RunView };
      }
    }
  } finally {
    sent.destroy();
  }
}

async function until<T>(
  messages: AsyncIterable<{ readonly event: string; readonly message: unknown }>,
  wanted: (event: string, message: T) => boolean,
): Promise<T> {
  for await (const { event, message } of messages) if (wanted(event, message as T)) return message as T;
  throw new Error('the connection ended before');
}

describe('a request is refused', () => {
  test.each([
    ['without the token', 401, '/', {}],
    ['for the live connection without the token', 401, '/api/live', {}],
    ['for a letter without the token', 401, '/api/letter?consumer=Orders&id=letter-1', {}],
    ['with a foreign Host', 403, '/', { host: 'evil.example' }],
    ['with a foreign Origin', 403, '/', { origin: 'http://evil.example' }],
    ['from another site', 403, '/', { 'sec-fetch-site': 'cross-site' }],
  ])('%s', async (_, status, path, headers) => {
    expect(await send(path, headers)).toMatchObject({ status });
    expect(cloud.asked).toEqual([]);
  });

  test('with the cookie, but a foreign Origin or Host', async () => {
    const { own } = await openPage();
    const order = { lever: 'redrive', consumer: 'Orders' };
    const json = { ...own, 'content-type': 'application/json' };
    expect(await send('/api/tell', { ...json, origin: 'http://evil.example' }, order)).toMatchObject({ status: 403 });
    expect(await send('/api/tell', json, order)).toMatchObject({ status: 403 });
    expect(await send('/', { ...own, host: 'evil.example' })).toMatchObject({ status: 403 });
    expect(cloud.asked).toEqual([]);
  });

  test('for what is not there, too large, or no JSON', async () => {
    const { own, ask, change, origin } = await openPage();
    expect(await send('/../package.json', own)).toMatchObject({ status: 404 });
    expect(await change('/api/tell', { lever: 'x'.repeat(70_000) })).toMatchObject({ status: 400 });
    expect(await change('/api/tell', { lever: 'rm', consumer: 'Orders' })).toMatchObject({ status: 400 });
    expect(await change('/api/tell', { lever: 'pause', consumer: 'Orders', also: 1 })).toMatchObject({ status: 400 });
    expect(await change('/api/run', { id: 'nobody' })).toMatchObject({ status: 409 });
    expect(await ask('/api/groups?consumer=Nobody')).toMatchObject({ status: 409 });
    const headers = { ...own, origin, 'content-type': 'application/json' };
    expect((await send('/api/tell', headers, undefined)).status).toBe(404);
  });
});

test('the page allows nothing from elsewhere, and no frame around it', async () => {
  const { own } = await openPage();
  for (const path of ['/', '/app.js', '/app.css']) {
    const { status, headers } = await send(path, own);
    expect(status).toBe(200);
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
  }
  const { text } = await send('/', own);
  expect(text).not.toMatch(/(src|href)="(?!\/app\.|data:)/);
});

test('ten pages share one look; a consumer that cannot be read does not hide the others', async () => {
  const pages = await Promise.all(Array.from({ length: 10 }, () => openPage()));
  const looks = await Promise.all(pages.map(({ own }) => until<Look>(liveOf(own), (event) => event === 'look')));
  expect(cloud.asked.filter((type) => type === 'topics')).toHaveLength(3); // two consumers, and the letters of one counted
  for (const { consumers } of looks)
    expect(consumers).toMatchObject([
      { name: 'Orders', lag: 7, isStuck: true, commandTarget: '--local --consumer Orders', status: { openLetters: 1 } },
      { name: 'Payments', error: { code: 'OPERATOR_FAILED' } },
    ]);
});

test('a target that cannot be opened is said, and tried again', async () => {
  const broken = await start({
    open: async () => {
      throw new OperatorError('CLOUD_UNKNOWN', 'stack Prod could not be read: the token has expired');
    },
  });
  const { own } = await openPage(broken);
  const look = await until<Look>(liveOf(own, broken), (event) => event === 'look');
  await broken.stop();
  expect(look).toMatchObject({ consumers: [], error: { code: 'CLOUD_UNKNOWN' } });
});

test('a port that is in use is said, with what to do', async () => {
  const port = Number(new URL(running.address).port);
  await expect(start({ port })).rejects.toThrow(
    `COMMAND_LINE_INVALID: the console cannot listen on port ${port} of 127.0.0.1`,
  );
});

test('a letter comes without its value; the value is a question of its own', async () => {
  const { ask } = await openPage();
  const { body } = await ask('/api/letter?consumer=Orders&id=letter-1');
  expect(body).toMatchObject({ key: '<script>' });
  expect(JSON.stringify(body)).not.toContain('the value');
  expect((await ask('/api/value?consumer=Orders&id=letter-1')).body).toMatchObject({
    form: 'json',
    text: '{\n  "a": 1\n}',
  });
  expect(await ask('/api/letter?consumer=Orders&id=nobody')).toMatchObject({ status: 409 });
});

test('--no-values and --read-only hold for every request', async () => {
  const careful = await start({ noValues: true, readOnly: true });
  const { ask, change } = await openPage(careful);
  const value = await ask('/api/value?consumer=Orders&id=letter-1');
  const order = await change('/api/tell', { lever: 'redrive', consumer: 'Orders' });
  await careful.stop();
  expect([value.status, value.body.error.message]).toMatchObject([409, expect.stringContaining('--no-values')]);
  expect([order.status, order.body.error.message]).toMatchObject([409, expect.stringContaining('--read-only')]);
  expect(cloud.asked).toEqual([]);
});

test('a redrive is told, then run once, and its end reaches the page', async () => {
  const { own, change } = await openPage();
  const { body: told } = await change('/api/tell', { lever: 'redrive', consumer: 'Orders', fingerprint: 'a b' });
  expect(told).toMatchObject({
    state: 'told',
    says: [
      '2 records of orders-dead-letters return to orders.',
      'Groups that the operator function may not describe are not named here.',
    ],
    command: "npx lockstep redrive --fingerprint 'a b' --local --consumer Orders",
    needsWhy: false,
  });
  expect(redriven).toEqual([]);
  const live = liveOf(own);
  expect((await live.next()).value).toMatchObject({ event: 'hello' });
  const ended = until<RunView>(live, (event, { state }) => event === 'run' && state === 'done');
  expect((await change('/api/run', { id: told.id })).body).toMatchObject({ state: 'running' });
  expect(await change('/api/run', { id: told.id })).toMatchObject({ status: 409 });
  goOn.resolve();
  expect(await ended).toMatchObject({ text: '2 of 2 returned.' });
  expect(redriven).toMatchObject([{ type: 'redrive', by: 'ann', filter: { fingerprint: 'a b' } }]);
});

test('what is given up must be named; nothing happens before', async () => {
  const { change } = await openPage();
  const { body: told } = await change('/api/tell', { lever: 'purge', consumer: 'Orders' });
  expect(told).toMatchObject({ typed: 'Orders', says: [expect.stringContaining('all open dead letters')] });
  for (const typed of [undefined, '', 'orders', 'Orders '])
    expect(await change('/api/run', { id: told.id, typed })).toMatchObject({ status: 409 });
  goOn.resolve();
  expect(redriven).toEqual([]);
  expect(await change('/api/run', { id: told.id, typed: 'Orders' })).toMatchObject({ status: 200 });
});

test('what was told and is cancelled does not run any more', async () => {
  const { change } = await openPage();
  const { body: told } = await change('/api/tell', { lever: 'redrive', consumer: 'Orders' });
  expect(await change('/api/cancel', { id: told.id })).toMatchObject({ status: 200 });
  expect(await change('/api/run', { id: told.id })).toMatchObject({ status: 409 });
});
