import { describe, expect, test } from 'vitest';
import { type Asked, judge } from '../../console/guard.ts';

const SECRETS = { token: 'the-token', session: 'the-session' };
const COOKIE = 'lockstep-console-4280=the-session';

function asked(
  path: string,
  { method = 'GET', ...headers }: { readonly method?: string } & Readonly<Record<string, string>> = {},
): Asked {
  const url = new URL(path, 'http://console');
  return { method, url, headers: { host: '127.0.0.1:4280', cookie: COOKIE, ...headers } };
}

const POST = {
  method: 'POST',
  origin: 'http://127.0.0.1:4280',
  'content-type': 'application/json',
  'sec-fetch-site': 'same-origin',
};

describe('a request of the console’s own page is allowed', () => {
  test.each([
    ['a question', asked('/api/groups')],
    ['under the name localhost', asked('/', { host: 'localhost:4280' })],
    ['an address that somebody typed', asked('/', { 'sec-fetch-site': 'none' })],
    ['a change', asked('/api/run', POST)],
    ['with cookies of others', asked('/', { cookie: `a=b; ${COOKIE}; c` })],
  ])('%s', (_, request) => {
    expect(judge(request, 4280, SECRETS)).toEqual({ type: 'allowed' });
  });
});

test('the right token is exchanged for a cookie, without one', () => {
  expect(judge(asked('/?token=the-token', { cookie: '' }), 4280, SECRETS)).toEqual({ type: 'exchange' });
});

describe('a request is refused', () => {
  test.each([
    ['with a foreign Host, as after DNS rebinding', 403, asked('/', { host: 'evil.example:4280' })],
    ['with a foreign Host, even with the token', 403, asked('/?token=the-token', { host: 'evil.example' })],
    ['with the Host of another port', 403, asked('/', { host: '127.0.0.1:80' })],
    ['without a Host', 403, asked('/', { host: '' })],
    ['with a foreign Origin', 403, asked('/api/run', { ...POST, origin: 'http://evil.example' })],
    ['with the Origin of another port', 403, asked('/api/run', { ...POST, origin: 'http://127.0.0.1:9999' })],
    ['with the Origin null, as of a sandboxed frame', 403, asked('/api/groups', { origin: 'null' })],
    ['from another site', 403, asked('/api/groups', { 'sec-fetch-site': 'cross-site' })],
    ['from another port of this machine', 403, asked('/api/groups', { 'sec-fetch-site': 'same-site' })],
    ['without a cookie', 401, asked('/', { cookie: '' })],
    ['without a cookie, of the live connection', 401, asked('/api/live', { cookie: '' })],
    ['with another cookie', 401, asked('/', { cookie: 'lockstep-console-4280=guess' })],
    ['with the cookie of another console', 401, asked('/', { cookie: 'lockstep-console-4281=the-session' })],
    ['with a wrong token', 401, asked('/?token=guess', { cookie: '' })],
    ['with an empty token', 401, asked('/?token=', { cookie: '' })],
    ['with the token elsewhere', 401, asked('/api/groups?token=the-token', { cookie: '' })],
    ['that changes something without an Origin', 403, asked('/api/run', { method: 'POST' })],
    ['that a form could send', 415, asked('/api/run', { ...POST, 'content-type': 'text/plain' })],
    ['of another method', 405, asked('/', { method: 'PUT' })],
  ])('%s', (_, status, request) => {
    expect(judge(request, 4280, SECRETS)).toMatchObject({ type: 'refused', status });
  });
});
