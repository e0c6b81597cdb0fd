import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from '../../../infra/local/free-ports.ts';

const TOKEN = 'the-token-of-this-run';
const MAIN = 'infra/local/inspect-main.ts';
const folder = mkdtempSync(join(tmpdir(), 'lockstep-inspect-'));
const entry = join(folder, 'handler.mjs');
let port = 0;
let server: ChildProcess;

beforeAll(async () => {
  writeFileSync(
    entry,
    'export const handler = async (event) => ({ event, token: process.env.LOCKSTEP_INSPECT_TOKEN });',
  );
  [port = 0] = await freePorts(1);
  const env = { PATH: process.env['PATH'], LOCKSTEP_INSPECT_TOKEN: TOKEN };
  server = spawn(process.execPath, [MAIN, entry, 'handler', String(port)], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (server.stdout === null) throw new Error('no output');
  await once(server.stdout, 'data');
}, 60_000);

afterAll(() => {
  server?.kill();
  rmSync(folder, { recursive: true });
});

function send(headers: Readonly<Record<string, string>>, method = 'POST'): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, headers, agent: false }, (answer) => {
      let text = '';
      answer.on('data', (part) => {
        text += part;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) }));
    });
    sent.on('error', reject);
    sent.end(method === 'POST' ? '{"a":1}' : '');
  });
}

test('who knows the token invokes the handler, which does not see the token', async () => {
  expect(await send({ 'x-lockstep-token': TOKEN })).toEqual({ status: 200, body: { event: { a: 1 } } });
});

describe('the handler is not invoked', () => {
  const right = { 'x-lockstep-token': TOKEN };
  test.each<[string, Readonly<Record<string, string>>, string, string?]>([
    ['without the token', {}, 'the token is missing or wrong'],
    ['with another token', { 'x-lockstep-token': 'the-token-of-that-run' }, 'the token is missing or wrong'],
    ['with the beginning of the token', { 'x-lockstep-token': TOKEN.slice(0, -1) }, 'the token is missing or wrong'],
    ['for a foreign host (DNS rebinding)', { ...right, host: 'evil.example' }, 'for another host'],
    ['for a host that begins as ours', { ...right, host: '127.0.0.1.evil.example' }, 'for another host'],
    ['from a web page', { ...right, origin: 'https://evil.example' }, 'from a web page'],
    ['from a page without an origin of its own', { ...right, origin: 'null' }, 'from a web page'],
    ['by a GET', right, 'an invocation is a POST', 'GET'],
    ['by a preflight', { ...right, origin: 'https://evil.example' }, 'from a web page', 'OPTIONS'],
  ])('%s', async (_name, headers, says, method) => {
    expect(await send(headers, method)).toEqual({
      status: 403,
      body: { errorType: 'Refused', errorMessage: expect.stringContaining(says) },
    });
  });
});

test('without a token it does not start', async () => {
  const child = spawn(process.execPath, [MAIN, entry, 'handler', '0'], {
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (part) => {
    said += part;
  });
  const [code] = await once(child, 'close');
  expect(code).not.toBe(0);
  expect(said).toContain('LOCKSTEP_INSPECT_TOKEN is not set');
});
