import { randomUUID } from 'node:crypto';
import type { Plan } from '../cli/plan.ts';
import { visibleData } from '../cli/visible.ts';
import { OperatorError } from '../shared/operator-errors.ts';
import type { Lease } from './kept-target.ts';
import type { LeverOrder, Told } from './levers.ts';
import type { RunView } from './messages.ts';
import { saidOf } from './said.ts';

/** What was told is forgotten after this time: it may not be true any more. */
const TOLD_FOR_MS = 10 * 60_000;
const MOST_RUNS = 20;
/** Progress is sent at most so often. */
const PROGRESS_EVERY_MS = 250;

interface Run {
  view: RunView;
  readonly plan: Plan;
  readonly lease: Lease;
  readonly stop: AbortController;
  readonly forgetAt: NodeJS.Timeout;
  /** Resolves when it has ended. */
  ended?: Promise<void>;
}

/** Changes that were told, run, or have ended. @param onChange - hears each change of one */
export function startRuns(onChange: (run: RunView) => void) {
  const runs = new Map<string, Run>();

  const change = (run: Run, changes: Partial<RunView>) => {
    run.view = { ...run.view, ...changes };
    onChange(run.view);
  };
  const forget = (id: string) => {
    const run = runs.get(id);
    if (run === undefined || run.view.state === 'running' || run.view.state === 'stopping') return;
    clearTimeout(run.forgetAt);
    run.lease.free();
    runs.delete(id);
  };
  const forgetOldest = () => {
    for (const id of [...runs.keys()].slice(0, -1)) if (runs.size > MOST_RUNS) forget(id);
  };
  const known = (id: string): Run => {
    const run = runs.get(id);
    if (run !== undefined) return run;
    throw new OperatorError(
      'OPERATION_REFUSED',
      'the console does not know this change any more: show what it does again',
    );
  };

  const carryOut = async (run: Run, why: string) => {
    let sentAt = 0;
    try {
      const answer = await run.plan.run({
        why,
        signal: run.stop.signal,
        onProgress: (done, total) => {
          if (Date.now() - sentAt < PROGRESS_EVERY_MS) return;
          sentAt = Date.now();
          change(run, { done, total });
        },
      });
      const text = run.plan.text(visibleData(answer));
      change(run, { state: run.plan.isDone(answer) ? 'done' : 'unfinished', text });
    } catch (error) {
      change(run, { state: 'failed', error: saidOf(error) });
    } finally {
      run.lease.free();
    }
  };

  return {
    /** Keeps what was told until it is run or forgotten. */
    add({ lever, consumer }: LeverOrder, { plan, command, needsWhy, typed }: Told, lease: Lease): RunView {
      const id = randomUUID();
      const view: RunView = {
        id,
        lever,
        consumer,
        says: plan.says,
        isEmpty: plan.isEmpty,
        command,
        needsWhy,
        ...(typed !== undefined && { typed }),
        state: 'told',
      };
      const forgetAt = setTimeout(() => {
        if (runs.get(id)?.view.state === 'told') forget(id);
      }, TOLD_FOR_MS);
      forgetAt.unref();
      runs.set(id, { view, plan, lease, stop: new AbortController(), forgetAt });
      forgetOldest();
      return view;
    },
    /** Begins it. @throws LockstepError OPERATION_REFUSED where the reason or the name is missing, or it has begun before */
    run(id: string, { why = '', typed = '' }: { readonly why?: string; readonly typed?: string }): RunView {
      const run = known(id);
      const { view } = run;
      if (view.state !== 'told') throw new OperatorError('OPERATION_REFUSED', `this ${view.lever} has begun already`);
      if (view.isEmpty) throw new OperatorError('OPERATION_REFUSED', `there is nothing to ${view.lever}`);
      if (view.needsWhy && why.trim() === '')
        throw new OperatorError('OPERATION_REFUSED', `a ${view.lever} needs a reason: the ledger keeps it`);
      if (view.typed !== undefined && typed !== view.typed)
        throw new OperatorError('OPERATION_REFUSED', `${view.lever} was not confirmed: type ${view.typed}`);
      change(run, { state: 'running' });
      run.ended = carryOut(run, why);
      return run.view;
    },
    /** Stops it after the step that it is in. What was told and did not begin is forgotten. */
    cancel(id: string): void {
      const run = known(id);
      if (run.view.state === 'told') forget(id);
      if (run.view.state === 'running') {
        run.stop.abort();
        change(run, { state: 'stopping' });
      }
    },
    /** Those that run or have ended, the oldest first. */
    views: (): readonly RunView[] => [...runs.values()].map(({ view }) => view).filter(({ state }) => state !== 'told'),
    /** Stops all, and waits for the step that each is in. */
    async stop(): Promise<void> {
      for (const run of runs.values()) if (run.view.state === 'running') run.stop.abort();
      await Promise.all([...runs.values()].map(({ ended }) => ended));
      for (const id of [...runs.keys()]) forget(id);
    },
  };
}

export type Runs = ReturnType<typeof startRuns>;
