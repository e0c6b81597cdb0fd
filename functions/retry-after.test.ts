import { expect, test } from 'vitest';
import { retryAfterMs } from './retry-after.ts';

const NOW = Date.UTC(2026, 10, 25, 12);

test.each([
  ['30', 30_000],
  ['0', 0],
  ['Wed, 25 Nov 2026 12:02:00 GMT', 120_000],
  ['Wed, 25 Nov 2026 11:00:00 GMT', 1_000],
  ['soon', 1_000],
  ['-5', 1_000],
  ['1e300', 1_000],
  ['', 1_000],
  [undefined, 1_000],
])('a response with `Retry-After: %s` asks to wait %d ms', (said, ms) => {
  const headers: Record<string, string> = said === undefined ? {} : { 'retry-after': said };

  expect(retryAfterMs(new Response(null, { headers }), NOW)).toBe(ms);
});
