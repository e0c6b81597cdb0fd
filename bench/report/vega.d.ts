// What of vega the plots use. Its own types are in bench/node_modules, which only a machine that runs the benchmarks has; the rest of
// the project must compile without.
declare module 'vega-lite' {
  export function compile(spec: Readonly<Record<string, unknown>>): { readonly spec: object };
}

declare module 'vega' {
  export function parse(spec: object): object;
  export class View {
    constructor(runtime: object, options: { readonly renderer: 'none' });
    toSVG(): Promise<string>;
  }
}
