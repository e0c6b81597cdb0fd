/** What is said of every error of a code. */
export interface ErrorKind {
  /** Whether trying again can help. */
  readonly retryable: boolean;
  /** What to do. */
  readonly hint: string;
}
