/** The wait if the server does not say one. */
const DEFAULT_PAUSE_MS = 1_000;

/** Milliseconds that a response asks to wait: `Retry-After` is seconds, or a date. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
export function retryAfterMs({ headers }: Response, now: number = Date.now()): number {
  const said = headers.get('retry-after') ?? '';
  if (/^\d+$/.test(said)) return Number(said) * 1_000;
  const until = Date.parse(said);
  return until > now ? until - now : DEFAULT_PAUSE_MS;
}
