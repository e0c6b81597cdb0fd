import {
  type CloudWatchLogsClient,
  type FilteredLogEvent,
  FilterLogEventsCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';

/**
 * MiniStack sets the time of an invocation's lines shortly before it shows them. This span is read again, so that no line is
 * missed.
 */
const OVERLAP_MS = 2_000;
const EVENTS_PER_REQUEST = 10_000;
const EVERY_MS = 250;
/** Reading costs MiniStack more as its history grows. This part of the time is spent on it, while lines are not too late. */
const SHARE = 0.1;
const AT_LEAST_EVERY_MS = 1_000;

export interface LogLines {
  readonly logGroup: string;
  readonly requestStream: string;
  /** Everything that one invocation printed, in order, with platform lines (START, END, REPORT). */
  readonly lines: readonly string[];
}

export interface FunctionLogs {
  /** Hands over everything that has been printed so far. */
  catchUp(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Follows the log groups of functions. The lines of each invocation come once, complete, shortly after its answer.
 *
 * @param onLines - called for each invocation, in the order of their ends
 */
export function followFunctionLogs(
  logs: CloudWatchLogsClient,
  logGroups: readonly string[],
  onLines: (lines: LogLines) => void,
): FunctionLogs {
  const followers = logGroups.map((logGroup) => followGroup(logs, logGroup, onLines));
  return {
    catchUp: async () => void (await Promise.all(followers.map(({ catchUp }) => catchUp()))),
    stop: async () => void (await Promise.all(followers.map(({ stop }) => stop()))),
  };
}

function followGroup(logs: CloudWatchLogsClient, logGroup: string, onLines: (lines: LogLines) => void): FunctionLogs {
  /** Streams that were handed over, with their time. MiniStack makes one for each invocation. */
  const seen = new Map<string, number>();
  // Earlier lines are not ours.
  let newest = Date.now() + OVERLAP_MS;

  const look = async (): Promise<void> => {
    let startTime = newest - OVERLAP_MS;
    for (;;) {
      const request = new FilterLogEventsCommand({ logGroupName: logGroup, startTime, limit: EVENTS_PER_REQUEST });
      const { events = [] } = await logs.send(request).catch((error) => {
        // No invocation yet.
        if (error instanceof ResourceNotFoundException) return { events: [] };
        throw error;
      });
      const isCut = events.length === EVENTS_PER_REQUEST;
      const streams = [...Map.groupBy(events, (event) => event.logStreamName ?? '')];
      // The last stream of a cut answer is incomplete: the next answer starts with it. There is no page token.
      if (isCut && streams.length > 1) streams.pop();
      for (const [stream, ofStream] of streams) if (!seen.has(stream)) handOver(stream, ofStream);
      if (!isCut) break;
      startTime = Math.max(startTime + 1, events.at(-1)?.timestamp ?? 0);
    }
    for (const [stream, timestamp] of seen) if (timestamp < newest - 2 * OVERLAP_MS) seen.delete(stream);
  };

  const handOver = (requestStream: string, events: readonly FilteredLogEvent[]): void => {
    const timestamp = events[0]?.timestamp ?? 0;
    seen.set(requestStream, timestamp);
    newest = Math.max(newest, timestamp);
    onLines({ logGroup, requestStream, lines: events.map(({ message = '' }) => message.trimEnd()) });
  };

  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let running = Promise.resolve();
  const catchUp = (): Promise<void> => {
    running = running.then(look, look);
    return running;
  };
  const again = (afterMs: number): void => {
    timer = setTimeout(async () => {
      const start = performance.now();
      // MiniStack is stopping or busy. The next read shows it.
      await catchUp().catch(() => {});
      if (!isStopped) again(Math.max(EVERY_MS, Math.min(AT_LEAST_EVERY_MS, (performance.now() - start) / SHARE)));
    }, afterMs);
  };
  again(EVERY_MS);
  return {
    catchUp,
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      await running.catch(() => {});
    },
  };
}
