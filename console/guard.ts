import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** What a console knows its own pages by. Both are random and end with the process. */
export interface Secrets {
  /** In the address that the command prints. */
  readonly token: string;
  /** In the cookie for which a browser exchanges the token. */
  readonly session: string;
}

/** A request, as far as the guard looks at it. */
export interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
}

export type Verdict =
  | { readonly type: 'allowed' }
  /** The token was right: the browser gets the cookie, and goes to the address without it. */
  | { readonly type: 'exchange' }
  | { readonly type: 'refused'; readonly status: 401 | 403 | 405 | 415; readonly why: string };

export function newSecrets(): Secrets {
  return { token: randomBytes(32).toString('base64url'), session: randomBytes(32).toString('base64url') };
}

/** Cookies do not know ports: two consoles on one machine have one each. */
export function cookieName(port: number): string {
  return `lockstep-console-${port}`;
}

/**
 * Whether a request comes from the page of this console.
 *
 * A name that somebody else's DNS points to 127.0.0.1 fails at Host, a page of another site at Origin and Sec-Fetch-Site, and
 * another program on this machine at the cookie.
 */
export function judge({ method, url, headers }: Asked, port: number, { token, session }: Secrets): Verdict {
  const refused = (status: 401 | 403 | 405 | 415, why: string): Verdict => ({ type: 'refused', status, why });
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  const { host = '', origin } = headers;
  if (!hosts.includes(host)) return refused(403, 'The console answers only under 127.0.0.1 and localhost.');
  if (origin !== undefined && origin !== `http://${host}`)
    return refused(403, 'A page of another origin may not use the console.');
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    return refused(403, 'Another site may not use the console. Open its address yourself.');
  if (method !== 'GET' && method !== 'POST') return refused(405, 'The console knows GET and POST.');
  if (method === 'GET' && url.pathname === '/' && isSame(url.searchParams.get('token') ?? '', token))
    return { type: 'exchange' };
  if (!cookies(headers.cookie, cookieName(port)).some((value) => isSame(value, session)))
    return refused(401, 'Open the address that `lockstep console` printed: it has the token of this console.');
  if (method === 'GET') return { type: 'allowed' };
  if (origin === undefined) return refused(403, 'A request that changes something needs an Origin.');
  if (headers['content-type'] !== 'application/json') return refused(415, 'Expected application/json.');
  return { type: 'allowed' };
}

/** Takes the same time for every text. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

function cookies(header: string | undefined, name: string): string[] {
  return (header ?? '').split(';').flatMap((pair) => {
    const [key = '', ...value] = pair.trim().split('=');
    return key === name ? [value.join('=')] : [];
  });
}
