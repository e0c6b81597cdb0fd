import { NonRetryableError, PauseError } from '../../shared/errors.ts';
import type { RecordContext } from '../../shared/runtime/consumer.ts';
import type { HistoryEvent, RunEnd, SimInvocation } from './history.ts';
import type { Host } from './host.ts';
import type { LogRecord } from './kafka-log.ts';
import type { Random } from './random.ts';

/** What the scripted handlers of one run have in common. */
export interface HandlerWorld {
  readonly emit: (event: HistoryEvent) => void;
  readonly chance: Random;
  readonly transacts: boolean;
  /** How often a record's script has had its way. */
  readonly runs: Map<LogRecord, number>;
}

/** Runs a record's script once in a host. */
export function runScript(
  { emit, chance, transacts, runs }: HandlerWorld,
  host: Host,
  invocation: SimInvocation,
  record: LogRecord,
  context: RecordContext,
): Promise<void> {
  emit({ type: 'started', invocation, record, attempt: context.attempt });
  const run = runs.get(record) ?? 0;
  const does = run < record.script.times ? record.script.does : 'succeeds';
  if (does !== 'succeeds') runs.set(record, run + 1);
  const ended = (how: RunEnd) => emit({ type: 'ended', invocation, record, how });
  const handlerMs = chance.between(1, 400);
  return new Promise((resolve, reject) => {
    const after = (ms: number, how: RunEnd, end: () => void) =>
      void host.in(ms, () => {
        ended(how);
        end();
      });
    const succeed = () => {
      if (transacts) context.transact({ Put: { record: record.index } });
      resolve();
    };
    switch (does) {
      case 'fails':
        return after(handlerMs, 'failed', () => reject(new Error(`failed at ${record.offset}`)));
      case 'nonRetryable':
        return after(handlerMs, 'nonRetryable', () => reject(new NonRetryableError('SIMULATED')));
      case 'pauses':
        return after(handlerMs, 'paused', () =>
          reject(new PauseError({ resumeAfterMs: chance.pick([300, 5_000, 60_000]) })),
        );
      case 'kills':
        host.in(handlerMs, () => host.die('its handler'));
        return;
      case 'hangs':
        return;
      case 'blocks':
        invocation.disturbed = true;
        host.freeze(chance.between(5_000, 40_000));
        return after(handlerMs, 'succeeded', succeed);
      case 'slow':
        return after(20_000, 'succeeded', succeed);
      default:
        return after(handlerMs, 'succeeded', succeed);
    }
  });
}
