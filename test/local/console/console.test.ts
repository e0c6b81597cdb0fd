import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { setFunction } from '../../../infra/local/function-settings.ts';
import { type Operated, startOperated } from '../relay/operated-consumer.ts';
import { launchBrowser } from './browser.ts';

/** With LOCKSTEP_SCREENSHOTS=docs/images the pictures of docs/console.md are made anew. */
const SCREENSHOTS = process.env['LOCKSTEP_SCREENSHOTS'];
const PICTURES = new Set(['overview', 'consumer', 'letter']);
const PATIENT = { timeout: 180_000, interval: 200 };
/** Markup that acts, where a page takes it for markup. */
const HOSTILE = '"><img src=x onerror="window.owned=1"><script>window.owned=1</script>';

let operated: Operated;
let browser: Browser;
let page: Page;
let running: ChildProcess;
let address: string;
/** What the counterpart answers, by id; 204 where nothing is said. */
const answers = new Map<string, number>();
/** What the browser complained of: a violation of the policy, an error of the page, a dialog. */
const complaints: string[] = [];

beforeAll(async () => {
  [operated, browser] = await Promise.all([startOperated('Looked'), launchBrowser()]);
  operated.counterpart.answer(({ id }) => answers.get(id) ?? 204);
  const parks = operated.cloud.deployed.consumers.find(({ name }) => name === 'LookedParks');
  if (parks === undefined) throw new Error('no consumer parks');
  await setFunction(operated.cloud.endpoint, parks.function, {
    environment: { COUNTERPART_URL: operated.counterpart.url },
  });
  running = operated.startAndRead('console', '--json');
  if (running.stdout === null) throw new Error('the console prints nothing');
  const [line] = await once(createInterface(running.stdout), 'line');
  address = JSON.parse(line).address;
  const context = await browser.newContext({
    viewport: { width: 1000, height: 800 },
    locale: 'en-GB',
    colorScheme: 'light',
  });
  await context.addInitScript({ content: await readFile('node_modules/axe-core/axe.min.js', 'utf8') });
  page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('dialog', (dialog) => {
    complaints.push(dialog.message());
    void dialog.dismiss();
  });
  await page.goto(address);
  // A reload would lose it.
  await page.evaluate('window.loadedOnce = true');
});
afterAll(async () => {
  await browser?.close();
  if (running?.exitCode === null) {
    running.kill('SIGINT');
    await once(running, 'exit');
  }
  await operated?.stop();
});
afterEach(async () => {
  expect(complaints).toEqual([]);
  expect(await page.evaluate('[window.loadedOnce, window.owned]')).toEqual([true, undefined]);
});

const produce = (partition: number, ...records: readonly (readonly [key: string, value: string])[]) =>
  operated.produce(records.map(([key, value]) => ({ key, value, partition })));

const link = (name: string | RegExp) => page.getByRole('link', { name }).first();
const dialog = () => page.getByRole('dialog');
const button = (name: string | RegExp) => page.getByRole('button', { name }).first();

/** In light and dark: axe finds nothing, and the picture for the documentation. At 400 px nothing is cut off. */
async function expectReadable(name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const found = (await page.evaluate(
      "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))",
    )) as string[];
    expect(found, `${name}, ${colorScheme}`).toEqual([]);
    if (SCREENSHOTS === undefined || !PICTURES.has(name)) continue;
    await mkdir(SCREENSHOTS, { recursive: true });
    await page.screenshot({ path: `${SCREENSHOTS}/console-${name}-${colorScheme}.png` });
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 400, height: 800 });
  expect(await page.evaluate('document.scrollingElement.scrollWidth'), `${name} at 400 px`).toBeLessThanOrEqual(400);
  await page.setViewportSize({ width: 1000, height: 800 });
}

test('the token is exchanged and leaves the address; a request without it, or of another Host or Origin, is refused', async () => {
  expect(new URL(page.url()).search).toBe('');
  const { origin } = new URL(address);
  const unknownBrowser = await browser.newContext();
  const statusOf = async (path: string, headers: Record<string, string>, from = unknownBrowser) =>
    (await from.request.get(`${origin}${path}`, { headers, maxRedirects: 0 })).status();
  expect(await statusOf('/', {})).toBe(401);
  expect(await statusOf('/api/live', {})).toBe(401);
  expect(await statusOf('/api/groups?consumer=Looked', {})).toBe(401);
  expect(await statusOf('/', { host: 'evil.example' }, page.context())).toBe(403);
  expect(await statusOf('/', { origin: 'http://evil.example' }, page.context())).toBe(403);
  // The page of another site, in a browser that has the cookie.
  const foreign = await page.context().newPage();
  await foreign.route('http://evil.example/', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<p>evil</p>' }),
  );
  await foreign.goto('http://evil.example/');
  const stolen = await foreign.evaluate(
    `fetch('${origin}/api/groups?consumer=Looked', { credentials: 'include' }).then(() => 'read', () => 'refused')`,
  );
  expect(stolen).toBe('refused');
  await foreign.close();
  await unknownBrowser.close();
});

test('a record that blocks shows without a reload, and is skipped with a reason and its name', async () => {
  await page.getByText('● nothing stuck').first().waitFor();
  answers.set('stuck', 503);
  await produce(0, ['k-0', 'before'], ['k-0', 'stuck'], ['k-0', 'after']);
  await expect.poll(() => operated.counterpart.calls.at(-1)?.id, PATIENT).toBe('stuck');
  await page.getByText('✖ 1 of 3 partitions stuck').waitFor();
  await expectReadable('overview');

  await page.getByRole('link', { name: 'Looked', exact: true }).click();
  await page.getByText('order stuck: the counterpart answered 503').first().waitFor();
  await page.getByText('Runbook: blocked-record').click();
  await page.getByText(/npx lockstep skip operated-looked-0@1 --why "..." --local --consumer Looked/).waitFor();
  await expectReadable('consumer');

  await button('Skip this record').click();
  await page.getByText('the equal command', { exact: false }).waitFor();
  const go = button('Skip this record now');
  expect(await go.isDisabled()).toBe(true);
  await page.getByLabel('Reason').fill("it's a test");
  await page.getByLabel('to confirm').fill('operated-looked-0@1');
  await expectReadable('skip');
  await page
    .getByText("npx lockstep skip operated-looked-0@1 --local --consumer Looked --why 'it'\\''s a test'")
    .waitFor();
  await page.getByLabel('Also if an invocation holds the partition').check();
  await page.getByText('--force', { exact: false }).first().waitFor();
  await button('Skip this record now').click();
  await dialog().getByText('✔ done').waitFor();
  await button('Close').click();
  await page.getByText('● nothing stuck').waitFor();
  await expect.poll(() => operated.counterpart.calls.at(-1)?.id, PATIENT).toBe('after');
});

test('dead letters are grouped, one is opened, redriven after its dry run, and gone; hostile keys and values do nothing', async () => {
  for (const id of ['p-1', 'p-2', HOSTILE]) answers.set(id, 422);
  await produce(1, ['k-1', 'p-1'], [HOSTILE, HOSTILE], ['k-1', 'p-2']);
  await link('3 open dead letters').click();
  await page.getByText('3 open dead letters of 2 causes').waitFor();
  await expectReadable('letters');
  await link('order p-1 is refused').click();
  await page.getByText('2 open dead letters with fingerprint').waitFor();
  await page.goBack();
  await link(/img src=x/).click();
  await page.getByText('1 open dead letter with fingerprint').waitFor();
  await link('operated-looked-1@1').click();
  await button(/^Show the value/).waitFor();
  expect(await page.getByText(HOSTILE, { exact: true }).count()).toBe(1);
  await button(/^Show the value/).click();
  await page.locator('pre', { hasText: HOSTILE }).first().waitFor();
  await expectReadable('letter');

  await link(/open dead letters$/).click();
  await link('order p-1 is refused').click();
  answers.clear();
  const before = operated.counterpart.calls.length;
  await button('Redrive this cause').click();
  await page.getByText('2 records of Operated-Looked-Looked-dead-letters return to operated-looked.').waitFor();
  expect(operated.counterpart.calls.length).toBe(before);
  await button('Redrive this cause now').click();
  await dialog().getByText('2 of 2 returned.').waitFor();
  await button('Close').click();
  await page.getByText('0 open dead letters with fingerprint').waitFor();
  await expect
    .poll(() => operated.counterpart.calls.slice(before).map(({ id }) => id), PATIENT)
    .toEqual(['p-1', 'p-2']);
});

test('what is purged must be named', async () => {
  await link('1 open dead letter').click();
  await button('Purge all').click();
  await page.getByText('No filter is set, so this concerns all open dead letters: 1 dead letter').waitFor();
  expect(await button('Purge all now').isDisabled()).toBe(true);
  await page.getByLabel('to confirm').fill('Looked');
  await button('Purge all now').click();
  await dialog().getByText('1 of 1 purged.').waitFor();
  await button('Close').click();
  await page.getByText('0 open dead letters of 0 causes').waitFor();
});

test('a parked key shows its records in order, and is released in that order', async () => {
  const producer = operated.kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  answers.set('first', 503);
  const messages = ['first', 'second', 'third'].map((value) => ({ key: HOSTILE, value, partition: 0 }));
  await producer.send({ topic: 'operated-looked-parks', acks: -1, messages });
  await producer.disconnect();
  await link('Lockstep console').click();
  await link('1 parked key').click();
  await page.getByText('3 records, next is number 1').waitFor();
  await page.getByText('Its records, in order').click();
  await page.getByText('operated-looked-parks-0@2').waitFor();
  const rows = await page.locator('tbody tr th').allTextContents();
  expect(rows).toEqual([0, 1, 2].map((offset) => `operated-looked-parks-0@${offset}`));
  await expectReadable('parked');

  answers.clear();
  const before = operated.counterpart.calls.length;
  await page.getByRole('button', { name: 'Release …' }).click();
  await page.getByText('3 records wait behind operated-looked-parks-0@0', { exact: false }).waitFor();
  await button('Release now').click();
  await dialog().getByText('3 records settled; the key is free.').waitFor();
  await button('Close').click();
  await page.getByText('No key is parked.').waitFor();
  expect(operated.counterpart.calls.slice(before).map(({ id }) => id)).toEqual(['first', 'second', 'third']);
});

test('a lost connection shows', async () => {
  // The browser complains of it, too.
  page.removeAllListeners('console');
  running.kill('SIGINT');
  await once(running, 'exit');
  await page.getByText('Connection lost', { exact: false }).waitFor();
});
