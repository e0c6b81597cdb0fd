import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GrowthPoint } from '../growth/growth-process.ts';
import { GROWTH } from '../growth/growth-series.ts';
import { CONSUMER_ENVIRONMENT } from '../measure/peers.ts';
import { plot } from '../report/plot.ts';
import { figure, fittedExponent, median, withSpread } from '../report/statistics.ts';
import type { Part } from './part.ts';

/** The exponent is fitted to the upper part. Below it the fixed cost of an invocation hides the growth. */
const FITTED_POINTS = 4;

/** How the CPU of a batch grows with what may grow. */
export const growth: Part = async ({ rounds, resultsFolder, name, progress }) => {
  const points: GrowthPoint[] = [];
  const child = fork(new URL('../growth/growth-process.ts', import.meta.url), [String(rounds)], {
    env: { ...process.env, ...CONSUMER_ENVIRONMENT },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  child.on('message', (point: GrowthPoint) => {
    progress(`growth: ${point.series}, ${point.x.toLocaleString('en')}`);
    points.push(point);
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`the process that measures growth ended with ${code}`);
  const drawn = points.map(({ series, x, cpuMicros }) => ({ series, x, y: median(cpuMicros) }));
  const file = `${name}-growth.svg`;
  const svg = await plot(drawn, { x: 'what grows', y: 'CPU µs a batch' });
  writeFileSync(join(resultsFolder, file), svg);
  return {
    title: 'Growth',
    text: `CPU of one batch, ledger in memory, while one thing grows. The exponent is fitted to the largest ${FITTED_POINTS} of each: 1 is linear, 0 is no growth. Median of ${rounds}.\n\n![CPU of a batch over what grows, both logarithmic](${file})`,
    tables: [
      {
        head: ['what grows', 'least', 'µs a batch', 'most', 'µs a batch', 'exponent'],
        rows: GROWTH.map(({ name: series, of }) => {
          const own = points.filter((point) => point.series === series);
          const fitted = drawn.filter((point) => point.series === series).slice(-FITTED_POINTS);
          const [least, most] = [own[0], own.at(-1)];
          return [
            `${series}: ${of}`,
            (least?.x ?? 0).toLocaleString('en'),
            withSpread(least?.cpuMicros ?? []),
            (most?.x ?? 0).toLocaleString('en'),
            withSpread(most?.cpuMicros ?? []),
            figure(Math.round(fittedExponent(fitted) * 100) / 100),
          ];
        }),
      },
    ],
  };
};
