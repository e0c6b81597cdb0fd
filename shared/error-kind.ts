/** What holds for every error of a code. */
export interface ErrorKind {
  /** Whether another try can help. */
  readonly retryable: boolean;
  /** What to do. */
  readonly hint: string;
}
