import { useEffect, useRef } from 'preact/hooks';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { number } from '../../cli/words.ts';
import type { Point } from '../messages.ts';

const HEIGHT = 70;

/** A small plot over the time that the console has looked. */
export function Plot({
  title,
  points,
  of,
}: {
  readonly title: string;
  readonly points: readonly Point[];
  readonly of: 'lag' | 'perSecond';
}) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const values = points.map((point) => point[of]);
  const data = [points.map(({ at }) => at / 1_000), values] as const;
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const colour = (name: string) => () => getComputedStyle(element).getPropertyValue(name);
    const axis = {
      stroke: colour('--quiet'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
      font: '11px system-ui',
    };
    const own = new UPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
        axes: [
          { ...axis, show: false },
          { ...axis, size: 44, space: 24, values: (_, splits) => splits.map((one) => short(one)) },
        ],
        series: [{}, { stroke: colour('--accent'), width: 1.5, points: { show: false }, spanGaps: true }],
      },
      data as never,
      element,
    );
    plot.current = own;
    const resized = new ResizeObserver(() => own.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const redraw = () => own.redraw();
    dark.addEventListener('change', redraw);
    return () => {
      dark.removeEventListener('change', redraw);
      resized.disconnect();
      own.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData(data as never), [points.at(-1)?.at, points.length]);
  const known = values.filter((one) => one !== null);
  const now = known.at(-1);
  const said =
    now === undefined
      ? `${title}: not measured yet`
      : `${title}: now ${number(now)}, between ${number(Math.min(...known))} and ${number(Math.max(...known))} since the console looks`;
  return (
    <figure class="plot">
      <figcaption>
        {title} <b>{now === undefined ? '–' : number(now)}</b>
      </figcaption>
      <div ref={place} role="img" aria-label={said} />
    </figure>
  );
}

function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  return value >= 1e3 ? `${value / 1e3}k` : String(value);
}
