import { useEffect, useState } from 'preact/hooks';
import type { LeverOrder } from '../levers.ts';
import type { Hello, Look, Point, RunView, Said } from '../messages.ts';

const MOST_POINTS = 360;

/** How the page is connected to the console. */
export type Connection = 'connecting' | 'live' | 'lost' | 'ended';

/** Everything that the console has sent. */
export interface State {
  readonly connection: Connection;
  readonly settings: Pick<Hello, 'readOnly' | 'noValues' | 'target'>;
  readonly look: Look | null;
  readonly points: Readonly<Record<string, readonly Point[]>>;
  readonly runs: readonly RunView[];
  /** The lever whose dialog is open. */
  readonly lever: OpenLever | null;
}

/** A lever that somebody took. */
export interface OpenLever {
  readonly label: string;
  readonly order: LeverOrder;
}

let state: State = {
  connection: 'connecting',
  settings: { readOnly: true, noValues: true, target: '' },
  look: null,
  points: {},
  runs: [],
  lever: null,
};
const listeners = new Set<() => void>();

function change(changes: Partial<State>): void {
  state = { ...state, ...changes };
  for (const listener of listeners) listener();
}

/** What the console has sent so far; the component is drawn again when more comes. */
export function useLive(): State {
  const [, draw] = useState({});
  useEffect(() => {
    const listener = () => draw({});
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return state;
}

/** The time, every second. */
export function useNow(): number {
  const [now, tick] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => tick(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

let source: EventSource | undefined;

/** Keeps the live connection while the page is seen. The browser connects again by itself; a hidden page asks for nothing. */
export function connect(): void {
  const open = () => {
    if (source !== undefined || document.hidden) return;
    const own = new EventSource('/api/live');
    source = own;
    const on = <T>(event: string, take: (message: T) => void) =>
      own.addEventListener(event, ({ data }) => take(JSON.parse(data)));
    on<Hello>('hello', ({ look, points, runs, ...settings }) =>
      change({ connection: 'live', settings, look, points, runs }),
    );
    on<Look>('look', (look) => change({ look, points: withLook(look) }));
    on<RunView>('run', rememberRun);
    own.onerror = () => change({ connection: own.readyState === EventSource.CLOSED ? 'ended' : 'lost' });
  };
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) return open();
    source?.close();
    source = undefined;
  });
  open();
}

/** Opens or closes the dialog of a lever. It outlives what it was opened for: a letter that is redriven leaves its list. */
export function showLever(lever: OpenLever | null): void {
  change({ lever });
}

/** Shows a run before the live connection tells of it. What that has told is newer. */
export function beginRun(run: RunView): void {
  if (!state.runs.some(({ id }) => id === run.id)) rememberRun(run);
}

function rememberRun(run: RunView): void {
  const others = state.runs.filter(({ id }) => id !== run.id);
  change({ runs: run.state === 'told' ? others : [...others, run] });
}

function withLook({ at, consumers }: Look): State['points'] {
  const points = { ...state.points };
  for (const { name, status, lag, perSecond = null } of consumers)
    if (status !== undefined) points[name] = [...(points[name] ?? []), { at, lag, perSecond }].slice(-MOST_POINTS);
  return points;
}

/** An answer of the console, while it is waited for, or why there is none. */
export type Asked<T> =
  | { readonly type: 'waiting' }
  | { readonly type: 'answered'; readonly answer: T }
  | { readonly type: 'failed'; readonly error: Said };

/** Asks the console. @throws Said */
export async function ask<T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T> {
  return answerOf(await fetch(`/api/${path}?${new URLSearchParams(query)}`));
}

/** Asks the console to change something. @throws Said */
export async function send<T>(path: string, body: object): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  return answerOf(await fetch(`/api/${path}`, { method: 'POST', headers, body: JSON.stringify(body) }));
}

async function answerOf<T>(response: Response): Promise<T> {
  const text = await response.text();
  const isJson = response.headers.get('content-type') === 'application/json';
  const body = isJson ? JSON.parse(text) : { error: { code: String(response.status), message: text } };
  if (response.ok) return body;
  throw body.error;
}

/** What went wrong with a request. */
export function saidOf(error: unknown): Said {
  if (typeof error === 'object' && error !== null && 'code' in error) return error as Said;
  return { code: 'CONSOLE_UNREACHABLE', message: 'The console does not answer. Does its command still run?' };
}

/** Asks whenever the question changes. An older answer stays until the new one is there. */
export function useAnswer<T>(path: string, query: Readonly<Record<string, string>>, version: unknown = 0): Asked<T> {
  const [asked, setAsked] = useState<Asked<T>>({ type: 'waiting' });
  const question = `${path}?${new URLSearchParams(query)}`;
  useEffect(() => setAsked({ type: 'waiting' }), [question]);
  useEffect(() => {
    let isCurrent = true;
    ask<T>(path, query).then(
      (answer) => isCurrent && setAsked({ type: 'answered', answer }),
      (error) => isCurrent && setAsked({ type: 'failed', error: saidOf(error) }),
    );
    return () => {
      isCurrent = false;
    };
  }, [question, version]);
  return asked;
}
