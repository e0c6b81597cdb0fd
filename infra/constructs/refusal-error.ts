/** Stops synth because of an impossible or dangerous combination of properties. `name` is the code of the first one. */
export class RefusalError extends Error {
  constructor(refused: readonly { readonly code: string; readonly path: string; readonly text: string }[]) {
    super(refused.map(({ code, path, text }) => `${code} at ${path}: ${text}`).join('\n'));
    this.name = refused[0]?.code ?? 'LOCKSTEP_REFUSED';
  }
}
