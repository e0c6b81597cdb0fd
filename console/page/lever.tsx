import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { visible } from '../../cli/visible.ts';
import { number } from '../../cli/words.ts';
import type { LeverOrder } from '../levers.ts';
import type { RunView, Said } from '../messages.ts';
import { shellWord } from '../shell-word.ts';
import { CommandLine, Failure } from './parts.tsx';
import { type Asked, beginRun, type OpenLever, saidOf, send, showLever, useLive } from './store.ts';

/** Levers that may take a partition away from the invocation that holds it. */
const FORCIBLE: ReadonlySet<string> = new Set(['skip', 'reset']);

/** A button for a command. It shows first what the command would do. */
export function Lever({
  label,
  order,
  isDisabled = false,
}: {
  readonly label: string;
  readonly order: LeverOrder;
  readonly isDisabled?: boolean;
}) {
  const { settings } = useLive();
  if (settings.readOnly) return null;
  return (
    <button type="button" disabled={isDisabled} onClick={() => showLever({ label, order })}>
      {label} …
    </button>
  );
}

/** Shows what a lever would do, asks for what it needs, and shows how it ends. */
export function LeverDialog({ lever: { label, order } }: { readonly lever: OpenLever }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  const hasBegun = useRef(false);
  const [round, setRound] = useState(0);
  const [force, setForce] = useState(false);
  const [told, setTold] = useState<Asked<RunView>>({ type: 'waiting' });
  const [why, setWhy] = useState('');
  const [typed, setTyped] = useState('');
  const [refused, setRefused] = useState<Said>();
  const plan = told.type === 'answered' ? told.answer : undefined;
  const run = useLive().runs.find(({ id }) => id === plan?.id);

  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    let isCurrent = true;
    let id: string | undefined;
    hasBegun.current = false;
    setTold({ type: 'waiting' });
    setRefused(undefined);
    send<RunView>('tell', { ...order, ...(force && { force }) }).then(
      (answer) => {
        id = answer.id;
        if (isCurrent) setTold({ type: 'answered', answer });
        else forget(id);
      },
      (error) => isCurrent && setTold({ type: 'failed', error: saidOf(error) }),
    );
    return () => {
      isCurrent = false;
      // What runs goes on when the dialog is closed.
      if (id !== undefined && !hasBegun.current) forget(id);
    };
  }, [force, round]);

  const start = async (event: Event) => {
    event.preventDefault();
    if (plan === undefined) return;
    setRefused(undefined);
    hasBegun.current = true;
    try {
      beginRun(await send<RunView>('run', { id: plan.id, why, typed }));
    } catch (error) {
      hasBegun.current = false;
      setRefused(saidOf(error));
    }
  };
  const isReady =
    plan !== undefined &&
    !plan.isEmpty &&
    (!plan.needsWhy || why.trim() !== '') &&
    (plan.typed === undefined || typed === plan.typed);
  return (
    <dialog ref={dialog} aria-labelledby={title} onClose={() => showLever(null)}>
      <h2 id={title}>{label}</h2>
      {told.type === 'waiting' && <p role="status">Looking what it would do …</p>}
      {told.type === 'failed' && <Failure error={told.error} />}
      {plan !== undefined && (
        <>
          <ul class="says">
            {plan.says.map((line) => (
              <li key={line}>{visible(line)}</li>
            ))}
          </ul>
          {plan.isEmpty && <p>There is nothing to do.</p>}
          <p class="quiet">The equal command:</p>
          <CommandLine
            text={
              plan.needsWhy ? `${plan.command} --why ${why.trim() === '' ? '"..."' : shellWord(why)}` : plan.command
            }
          />
        </>
      )}
      {plan !== undefined && run === undefined && (
        <form onSubmit={start}>
          {plan.needsWhy && (
            <label>
              Reason (the ledger keeps it)
              <input value={why} maxLength={1_000} onInput={({ currentTarget }) => setWhy(currentTarget.value)} />
            </label>
          )}
          {plan.typed !== undefined && (
            <label>
              Type <b>{visible(plan.typed)}</b> to confirm
              <input
                value={typed}
                autocomplete="off"
                spellcheck={false}
                onInput={({ currentTarget }) => setTyped(currentTarget.value)}
              />
            </label>
          )}
          {refused !== undefined && <Failure error={refused} />}
          {!plan.isEmpty && (
            <button type="submit" class="go" disabled={!isReady}>
              {label} now
            </button>
          )}
        </form>
      )}
      {FORCIBLE.has(order.lever) && run === undefined && (
        <label class="check">
          <input type="checkbox" checked={force} onChange={({ currentTarget }) => setForce(currentTarget.checked)} />
          Also if an invocation holds the partition (its records then run again)
        </label>
      )}
      {run !== undefined && <Ended run={run} />}
      <p class="buttons">
        {run?.state === 'running' && (
          <button type="button" onClick={() => forget(run.id)}>
            Stop after the current step
          </button>
        )}
        {(told.type === 'failed' || run?.state === 'failed' || run?.state === 'unfinished') && (
          <button type="button" onClick={() => setRound(round + 1)}>
            Look again
          </button>
        )}
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </p>
    </dialog>
  );
}

/** Stops what runs, and forgets what has not begun. What has ended stays. */
function forget(id: string): void {
  send('cancel', { id }).catch(() => undefined);
}

const STATES: Readonly<Record<RunView['state'], string>> = {
  told: 'not begun',
  running: 'running',
  stopping: 'stopping after the current step',
  done: '✔ done',
  unfinished: '‖ not finished',
  failed: '✖ failed',
};

/** How far a change is, or how it ended. */
export function Ended({ run }: { readonly run: RunView }) {
  const { state, done, total, text, error } = run;
  return (
    <div class="ended" aria-live="polite">
      <p>
        <b>{STATES[state]}</b>
        {done !== undefined && total !== undefined && (state === 'running' || state === 'stopping') && (
          <>
            {' '}
            <progress value={done} max={Math.max(1, total)} aria-label="Progress" /> {number(done)} of {number(total)}
          </>
        )}
      </p>
      {text !== undefined && <pre>{text}</pre>}
      {error !== undefined && <Failure error={error} />}
    </div>
  );
}
