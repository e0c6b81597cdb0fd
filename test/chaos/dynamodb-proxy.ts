import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { LocalEndpoint } from '../../infra/local/local-endpoint.ts';
import type { LedgerEvent } from './evidence.ts';
import { type Answer, forwarder } from './forwarder.ts';
import { grantedEpoch, type LedgerRequest, readLedgerRequest } from './ledger-request.ts';

/** What may become of a request besides being carried out and answered. */
export type ProxyFault = 'throttled' | 'answerLost' | 'cut' | 'slow';

/** Between functions and DynamoDB: makes trouble and sees what the ledger does. */
export interface DynamoDbProxy {
  readonly url: string;
  readonly requests: () => number;
  /** Since {@link DynamoDbProxy.begin}, in the order in which the ledger did it. */
  readonly events: () => readonly LedgerEvent[];
  /** Forgets what was seen; from now on what concerns this topic is, and each request's fate is drawn here. */
  begin(topic: string, draw: () => ProxyFault | undefined): void;
  /**
   * Holds back the next write until a later claim of its partition was granted, or `mostMs` are over: it lands late.
   *
   * @param onHeld - once it is held; whoever asked for the write does not hear of it any more
   * @returns what the ledger made of it; `undefined` if nothing was written in that time
   */
  holdWrite(mostMs: number, onHeld: () => Promise<void>): Promise<LateWrite | undefined>;
  stop(): Promise<void>;
}

export interface LateWrite {
  readonly wasOvertaken: boolean;
  readonly fate: 'applied' | 'refused' | 'lost';
}

interface Hold {
  readonly onHeld: () => Promise<void>;
  readonly untilMs: number;
  readonly done: (late: LateWrite | undefined) => void;
}

const THROTTLED = {
  status: 400,
  headers: { 'content-type': 'application/x-amz-json-1.0' },
  body: Buffer.from(
    JSON.stringify({
      __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
      message: 'chaos',
    }),
  ),
} as const satisfies Answer;
/** Just above what the functions wait for an answer: what is slow may be applied after it was given up. */
const SLOW_MS = 2_300;

/** Starts it on loopback, in front of the local cloud. */
export async function startDynamoDbProxy(endpoint: LocalEndpoint): Promise<DynamoDbProxy> {
  const { forward, close } = forwarder(endpoint);
  let draw: () => ProxyFault | undefined = () => undefined;
  let topic = '';
  let events: LedgerEvent[] = [];
  let requests = 0;
  let hold: Hold | undefined;
  /** One at a time for each partition, or answers could overtake one another on their way here. */
  const turns = new Map<number, Promise<unknown>>();
  const epochs = new Map<number, number>();
  let onClaim = () => {};

  /** Carries a request out and notes what it did. */
  const carryOut = async (
    incoming: IncomingMessage,
    body: string,
    about: LedgerRequest | undefined,
    note: (answer: Answer) => void,
  ) => {
    if (about === undefined) return forward(incoming, body);
    const turn = (turns.get(about.partition) ?? Promise.resolve()).then(async () => {
      const answer = await forward(incoming, body);
      if (about.type === 'claim' && answer.status === 200) {
        const epoch = grantedEpoch(answer.body.toString());
        events.push({ type: 'claimed', partition: about.partition, epoch, at: Date.now() });
        epochs.set(about.partition, epoch);
        onClaim();
      }
      note(answer);
      return answer;
    });
    turns.set(
      about.partition,
      turn.catch(() => {}),
    );
    return turn;
  };

  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const askedAt = Date.now();
    const body = await text(incoming);
    requests += 1;
    const target = String(incoming.headers['x-amz-target']);
    const request = readLedgerRequest(target, body);
    // A consumer that ran before may have an invocation left.
    const about = request?.topic === topic ? request : undefined;
    const noteWrite = (fate: 'applied' | 'refused' | 'lost', disturbed: boolean) => {
      if (about?.type !== 'write') return;
      const { partition, epoch, settled } = about;
      events.push({ type: 'write', partition, epoch, settled, askedAt, at: Date.now(), fate, disturbed });
    };
    const fateOf = ({ status, body: said }: Answer) =>
      status === 200 ? 'applied' : said.includes('ConditionalCheckFailed') ? 'refused' : 'lost';

    if (hold !== undefined && about?.type === 'write') {
      const { onHeld, untilMs, done } = hold;
      hold = undefined;
      const overtaken = Promise.withResolvers<boolean>();
      const look = () => (epochs.get(about.partition) ?? 0) > about.epoch && overtaken.resolve(true);
      onClaim = look;
      const timer = setTimeout(() => overtaken.resolve(false), Math.max(0, untilMs - Date.now()));
      await onHeld();
      response.destroy();
      const wasOvertaken = await overtaken.promise;
      clearTimeout(timer);
      let fate: LateWrite['fate'] = 'lost';
      await carryOut(incoming, body, about, (answer) => {
        fate = fateOf(answer);
        noteWrite(fate, true);
      });
      done({ wasOvertaken, fate });
      return;
    }

    const fault = draw();
    if (fault === 'throttled' || fault === 'cut') {
      noteWrite('lost', true);
      if (fault === 'cut') response.destroy();
      else response.writeHead(THROTTLED.status, THROTTLED.headers).end(THROTTLED.body);
      return;
    }
    if (fault === 'slow') await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
    const answer = await carryOut(incoming, body, about, (given) =>
      noteWrite(fateOf(given), fault !== undefined || response.destroyed),
    );
    if (fault === 'answerLost') response.destroy();
    else response.writeHead(answer.status, answer.headers).end(answer.body);
  };

  const server = createServer((incoming, response) => {
    // Whoever asked may be dead by now; a connection without an answer says the rest.
    serve(incoming, response).catch(() => response.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests: () => requests,
    events: () => events,
    begin: (nextTopic, next) => {
      topic = nextTopic;
      draw = next;
      events = [];
      epochs.clear();
      requests = 0;
    },
    holdWrite: (mostMs, onHeld) =>
      new Promise((resolve) => {
        const waiting: Hold = { onHeld, untilMs: Date.now() + mostMs, done: resolve };
        hold = waiting;
        setTimeout(() => {
          if (hold !== waiting) return;
          hold = undefined;
          resolve(undefined);
        }, mostMs);
      }),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      close();
    },
  };
}
