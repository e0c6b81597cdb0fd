import type { Browser, Page } from 'playwright-core';

/** As Chromium writes them. Microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly tdur?: number;
}

/** How fast a page was. */
export interface Traced {
  /** Until its first consumer is there. */
  readonly thereMs: number;
  /** Of the processor's time: how long a busy machine lets a task wait is not the page's doing. */
  readonly longestTaskMs: number;
}

/** Opens the console's page, uses it, and measures both. */
export async function traced(browser: Browser, address: string, use: (page: Page) => Promise<void>): Promise<Traced> {
  const context = await browser.newContext({ locale: 'en-GB' });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await browser.startTracing(page, {
    categories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'],
  });
  const startedAt = performance.now();
  await page.goto(address);
  await page.locator('.card').first().waitFor();
  const thereMs = Math.round(performance.now() - startedAt);
  await use(page);
  const { traceEvents } = JSON.parse(String(await browser.stopTracing())) as { traceEvents: readonly TraceEvent[] };
  const tasks = traceEvents.filter(({ name }) => name === 'RunTask').map(({ tdur = 0 }) => tdur / 1_000);
  await context.close();
  return { thereMs, longestTaskMs: Math.round(Math.max(...tasks)) };
}
