/** A point of a line. */
export interface PlotPoint {
  readonly series: string;
  readonly x: number;
  readonly y: number;
}

const SIZE = { width: 560, height: 360 };

/** Lines over logarithmic axes, as SVG. */
export async function plot(points: readonly PlotPoint[], titles: { readonly x: string; readonly y: string }) {
  // Loaded here: only bench/node_modules has them, and they are large.
  const [{ parse, View }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const axis = (field: 'x' | 'y') => ({
    field,
    type: 'quantitative' as const,
    scale: { type: 'log' as const },
    title: titles[field],
  });
  const { spec } = compile({
    ...SIZE,
    background: 'white',
    data: { values: points.map((point) => ({ ...point })) },
    mark: { type: 'line', point: true },
    encoding: { x: axis('x'), y: axis('y'), color: { field: 'series', type: 'nominal', title: null } },
  });
  return new View(parse(spec), { renderer: 'none' }).toSVG();
}
