/** Something that the local cloud needs is missing or failed. The text is one line a person can act on: what, where, what to do. */
export class LocalCloudError extends Error {
  override readonly name = 'LocalCloudError';
}
