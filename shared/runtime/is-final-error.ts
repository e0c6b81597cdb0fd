/** Whether repeating a request cannot help: the table is missing, the right to use it is. Adapters say so by `transient: false`. */
export function isFinalError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'transient' in error && error.transient === false;
}
