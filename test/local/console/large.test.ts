import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type RunningConsole, startConsole } from '../../../console/server.ts';
import { deployedConsumer, fakeTarget } from '../../console/fake-target.ts';
import { launchBrowser } from './browser.ts';
import { traced } from './traced.ts';

/** A topic of the size that the console is made for, and lists as long as they get. */
const PARTITIONS = 100;
const LETTERS = 100_000;
const CAUSES = 500;

let browser: Browser;
let running: RunningConsole;
let looks = 0;

beforeAll(async () => {
  browser = await launchBrowser();
  running = await startConsole({
    open: async () => ({
      ...fakeTarget({
        consumers: ['Orders', 'Payments', 'Shipments'].map(deployedConsumer),
        mapping: { State: 'Enabled' },
        asked: [],
        alarms: [
          {
            AlarmName: 'blocked-record',
            StateValue: 'ALARM',
            StateTransitionedTimestamp: new Date('2026-01-01T12:00Z'),
          },
          { AlarmName: 'lag-time', StateValue: 'OK' },
          { AlarmName: 'relay-stopped', StateValue: 'INSUFFICIENT_DATA' },
        ],
        operate: async (_, { type }) => ANSWERS[type]?.(),
      }),
      async *letterPages(_, { limit }) {
        yield { letters: Array.from({ length: limit }, (_, at) => letter(at)), total: LETTERS, foreign: 0 };
      },
    }),
    target: '--stack Prod',
    local: false,
    readOnly: false,
    noValues: false,
    port: 0,
  });
});
afterAll(async () => {
  await browser?.close();
  await running?.stop();
});

/** The largest value that a topic of MSK takes by default, eight times over. */
const LARGE = Buffer.from(JSON.stringify({ text: 'x'.repeat(8 * 1_048_576) }));

const ANSWERS: Readonly<Record<string, () => unknown>> = {
  topics,
  groups,
  letter: () => ({
    letter: { ...letter(0), headers: [], timestamp: '2026-01-01T12:00:00.000Z', valueBytes: LARGE.length },
  }),
  records: () => ({ records: [{ value: LARGE.toString('base64') }], isComplete: true }),
};

function topics() {
  looks++;
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => {
    const committed = looks * 1_000 + partition;
    return { partition, start: 0, end: committed + (partition % 7) * 100, committed };
  });
  return { partitions, letters: LETTERS };
}

function letter(at: number) {
  return {
    id: `c/group/orders-${at % PARTITIONS}@${at}/1`,
    origin: `orders-${at % PARTITIONS}@${at}`,
    key: `customer-${at}`,
    errorName: 'CreditDown',
    errorMessage: `order ${at} was refused by the credit service`,
    fingerprint: 'print-1',
    stage: 'handler',
    disposition: 'exhausted',
    attempts: 5,
    interruptions: 0,
    deadLetteredAt: '2026-01-01T12:00:00.000Z',
    redriveCount: 0,
    doubtful: false,
    valueBytes: 200,
  };
}

function groups() {
  const found = Array.from({ length: CAUSES }, (_, cause) => ({
    fingerprint: `print-${cause}`,
    errorName: `CAUSE_${cause}`,
    stage: 'handler',
    exampleMessage: `order ${cause} was refused`,
    exampleId: `letter-${cause}`,
    count: LETTERS / CAUSES,
    firstSeen: '2026-01-01T12:00:00.000Z',
    lastSeen: '2026-01-02T12:00:00.000Z',
    slots: Array.from({ length: 24 }, (_, slot) => slot),
  }));
  return { groups: found, causes: CAUSES, letters: LETTERS, read: LETTERS, foreign: 0 };
}

test('with 3 consumers of 100 partitions, 500 causes and 1,000 letters in a list, all of it is shown and no task takes 200 ms', async () => {
  const { thereMs, longestTaskMs } = await traced(browser, running.address, async (page) => {
    await page.getByRole('link', { name: 'Shipments' }).waitFor();
    await page.getByRole('link', { name: 'Orders' }).click();
    await page.getByRole('button', { name: 'Show all 100 partitions' }).click();
    await page.getByRole('link', { name: /dead letter/ }).click();
    await page.getByText('100,000 open dead letters of 500 causes').waitFor();
    for (let shown = 200; shown <= CAUSES; shown += 100) {
      await page.getByRole('button', { name: 'Show more causes' }).click();
      await expect.poll(() => page.locator('tbody tr').count()).toBe(shown);
    }
    await page.getByRole('link', { name: /^CAUSE_499/ }).click();
    for (const shown of [50, 200, 800]) {
      await expect.poll(() => page.locator('tbody tr').count()).toBe(shown);
      await page.getByRole('button', { name: 'Show more' }).click();
    }
    await expect.poll(() => page.locator('tbody tr').count()).toBe(1_000);
    await page.getByText('The first 1,000 are shown. All of them:', { exact: false }).waitFor();
    await page
      .getByText('npx lockstep dead-letters list --fingerprint print-499 --limit 100000', { exact: false })
      .waitFor();
  });
  console.log(`there after ${thereMs} ms; longest task ${longestTaskMs} ms`);
  expect(longestTaskMs).toBeLessThan(200);
});

async function open(proxy?: { readonly server: string; readonly bypass: string }): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-GB', ...(proxy && { proxy }) });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(running.address);
  await page.locator('.card').first().waitFor();
  return page;
}

test('an alarm that rings is on the overview, and with its consumer has the entry of the runbook', async () => {
  const page = await open();
  expect(await page.getByText('✖ 1 alarm: blocked-record').count()).toBe(3);

  await page.getByRole('link', { name: 'Orders' }).click();

  await page.getByText('3 alarms: 1 in ALARM, 1 OK, 1 without data yet').waitFor();
  await page.getByText('✖ blocked-record since').waitFor();
  await page.getByText('Runbook: blocked-record').click();
  await page.locator('.runbook code', { hasText: '--local --consumer Orders' }).first().waitFor();
});

test('of a letter of 8 MB the first part is shown, and no task takes 200 ms', async () => {
  const { longestTaskMs } = await traced(browser, running.address, async (page) => {
    await page.goto(`${new URL(running.address).origin}/#/letter/Orders/${encodeURIComponent('c/group/orders-0@0/1')}`);
    await page.getByRole('button', { name: 'Show the value (8,388,619 bytes)' }).click();
    await page.getByText('8,388,619 bytes, as text; the last 8,126,475 are not shown').waitFor();
    await page.locator('pre', { hasText: '{"text":"xxx' }).waitFor();
  });

  expect(longestTaskMs).toBeLessThan(200);
});

test('the keyboard alone reaches a letter and its buttons; a dialog gives the focus back', async () => {
  const page = await open();
  const focused = () => page.evaluate('document.activeElement.textContent');
  const tabTo = async (text: string) => {
    await page
      .locator('a, button', { hasText: new RegExp(text) })
      .first()
      .waitFor();
    for (let steps = 0; steps < 200; steps++) {
      if (new RegExp(text).test(String(await focused()))) return;
      await page.keyboard.press('Tab');
    }
    throw new Error(`the keyboard does not reach ${text}`);
  };
  await tabTo('^Orders$');
  await page.keyboard.press('Enter');
  // The overview has text about dead letters, too: an element of it may be gone before Enter is pressed.
  await page.getByRole('navigation', { name: 'Views of the consumer' }).waitFor();
  await tabTo('dead letters$');
  await page.keyboard.press('Enter');
  await page.getByText('100,000 open dead letters of 500 causes').waitFor();
  await tabTo('^CAUSE_0');
  await page.keyboard.press('Enter');
  await page.getByText('with fingerprint').waitFor();
  await tabTo('^orders-0@0$');
  await page.keyboard.press('Enter');
  await tabTo('^Purge this letter …$');
  await page.keyboard.press('Space');
  await page.getByRole('dialog').waitFor();
  expect(await page.evaluate('document.activeElement.closest("dialog") !== null')).toBe(true);

  await page.keyboard.press('Escape');

  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect(await focused()).toBe('Purge this letter …');
});

/** A proxy between a browser and the console, which can be cut. */
async function aProxy() {
  let isCut = false;
  const proxy = createServer((asked, answer) => {
    if (isCut) return answer.destroy();
    const { url = '', method, headers } = asked;
    const forward = request(url, { method, headers }, (given) => {
      answer.writeHead(given.statusCode ?? 502, given.headers);
      given.pipe(answer);
    });
    forward.on('error', () => answer.destroy());
    asked.pipe(forward);
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    proxy.close();
    proxy.closeAllConnections();
  });
  return {
    server: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    cut: () => {
      isCut = true;
      proxy.closeAllConnections();
    },
    mend: () => {
      isCut = false;
    },
  };
}

test('a connection that is lost shows, and comes back by itself', async () => {
  const proxy = await aProxy();
  const page = await open({ server: proxy.server, bypass: '<-loopback>' });
  await page.getByText('● live').waitFor();

  proxy.cut();
  await page.getByText('Connection lost; trying again.', { exact: false }).waitFor();
  proxy.mend();

  await page.getByText('● live').waitFor();
});
