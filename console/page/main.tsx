import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { visible } from '../../cli/visible.ts';
import { counted, shortDuration } from '../../cli/words.ts';
import type { RunView } from '../messages.ts';
import './app.css';
import { Partitions } from './consumer.tsx';
import { Group, Groups, Letter } from './letters.tsx';
import { Ended, LeverDialog } from './lever.tsx';
import { lettersOf, Overview, verdictOf } from './overview.tsx';
import { Parked } from './parked.tsx';
import { Failure } from './parts.tsx';
import { hrefOf, type Route, useRoute } from './route.ts';
import { connect, type State, useLive, useNow } from './store.ts';

/** A look that is older is most likely late, not the newest. */
const OLD_AFTER_MS = 20_000;

function App() {
  const live = useLive();
  const route = useRoute();
  const stuck = live.look?.consumers.filter(({ isStuck }) => isStuck).length ?? 0;
  useEffect(() => {
    document.title = `${stuck > 0 ? `✖ ${stuck} stuck – ` : ''}Lockstep console`;
  }, [stuck]);
  return (
    <>
      <header>
        <h1>
          <a href={hrefOf({ view: 'overview' })}>Lockstep console</a>
        </h1>
        <span class="quiet">
          {visible(live.settings.target)}
          {live.settings.readOnly && live.connection === 'live' && ', read-only'}
        </span>
        <Connected live={live} />
      </header>
      <main>
        {route.view === 'overview' ? <Overview /> : <ConsumerPage route={route} />}
        <Runs runs={live.runs} />
        {live.lever !== null && <LeverDialog lever={live.lever} />}
      </main>
    </>
  );
}

function Connected({ live: { connection, look } }: { readonly live: State }) {
  const now = useNow();
  if (connection === 'ended')
    return (
      <p class="connection lost" role="alert">
        ✖ The console does not know this page any more. Open the address that its command printed.
      </p>
    );
  if (connection === 'lost')
    return (
      <p class="connection lost" role="alert">
        ✖ Connection lost; trying again. What you see is old.
      </p>
    );
  const age = look === null ? undefined : now - look.at;
  return (
    <p class="connection">
      {age === undefined ? '○ connecting' : age > OLD_AFTER_MS ? `‖ looked ${shortDuration(age)} ago` : '● live'}
    </p>
  );
}

function ConsumerPage({ route }: { readonly route: Exclude<Route, { view: 'overview' }> }) {
  const { look } = useLive();
  if (look === null) return <p role="status">Looking for the first time …</p>;
  const consumer = look.consumers.find(({ name }) => name === route.consumer);
  if (consumer === undefined)
    return look.error === undefined ? (
      <p class="failure" role="alert">
        There is no consumer {visible(route.consumer)} any more.{' '}
        <a href={hrefOf({ view: 'overview' })}>To all consumers</a>
      </p>
    ) : (
      <Failure error={look.error} />
    );
  const { name, status, error, parked } = consumer;
  const tabs = [
    { view: 'consumer', label: 'Partitions' },
    { view: 'letters', label: status === undefined ? 'Dead letters' : lettersOf(status) },
    { view: 'parked', label: counted(parked, 'parked key') },
  ] as const;
  const isIn = (view: string) =>
    view === route.view || (view === 'letters' && (route.view === 'group' || route.view === 'letter'));
  return (
    <article class={consumer.isStuck ? 'stuck' : ''}>
      <h2>
        {visible(name)} <span class="verdict">{verdictOf(consumer)}</span>
      </h2>
      {status !== undefined && (
        <p class="quiet">
          topic {visible(status.topic)}, group {visible(status.group)}, mapping {visible(status.mapping)}
        </p>
      )}
      {error !== undefined && <Failure error={error} />}
      {status?.problems.map((problem) => (
        <p key={problem} class="failure">
          {visible(problem)}
        </p>
      ))}
      <nav aria-label="Views of the consumer">
        {tabs.map(({ view, label }) => (
          <a key={view} href={hrefOf({ view, consumer: name })} aria-current={isIn(view) ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
      {route.view === 'consumer' && <Partitions consumer={consumer} />}
      {route.view === 'letters' && <Groups consumer={consumer} />}
      {route.view === 'group' && <Group key={route.fingerprint} consumer={consumer} fingerprint={route.fingerprint} />}
      {route.view === 'letter' && <Letter key={route.id} consumer={consumer} id={route.id} />}
      {route.view === 'parked' && <Parked consumer={consumer} />}
    </article>
  );
}

/** What was changed from this console. It goes on when a page is closed. */
function Runs({ runs }: { readonly runs: readonly RunView[] }) {
  if (runs.length === 0) return null;
  return (
    <section class="runs" aria-label="Changes of this console">
      <h2>Changes of this console</h2>
      {[...runs].reverse().map((run) => (
        <details key={run.id} open={run.state === 'running' || run.state === 'stopping'}>
          <summary>
            {run.lever} of {visible(run.consumer)}: {run.state}
          </summary>
          <code>{visible(run.command)}</code>
          <Ended run={run} />
        </details>
      ))}
    </section>
  );
}

connect();
const place = document.getElementById('app');
if (place !== null) render(<App />, place);
