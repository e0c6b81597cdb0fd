import { visible } from '../../cli/visible.ts';
import { counted, number } from '../../cli/words.ts';
import type { ConsumerView } from '../messages.ts';
import { Failure } from './parts.tsx';
import { Plot } from './plot.tsx';
import { hrefOf } from './route.ts';
import { useLive } from './store.ts';
import { Strip } from './strip.tsx';

/** Every consumer, the one that needs attention first. */
export function Overview() {
  const { look } = useLive();
  if (look === null) return <p role="status">Looking for the first time …</p>;
  if (look.error !== undefined) return <Failure error={look.error} />;
  if (look.consumers.length === 0)
    return <p>There is no consumer here. The stacks have no output of a LockstepConsumer.</p>;
  const consumers = [...look.consumers].sort((a, b) => rankOf(b) - rankOf(a) || a.name.localeCompare(b.name));
  return (
    <div class="cards">
      {consumers.map((one) => (
        <Card key={one.name} consumer={one} />
      ))}
    </div>
  );
}

function rankOf({ error, isStuck, status, parked, lag, alarms }: ConsumerView): number {
  if (isStuck) return 4;
  if (error !== undefined || ringingOf(alarms).length > 0) return 3;
  if ((status?.openLetters ?? 0) > 0 || parked > 0 || (status?.inFallbackQueue ?? 0) > 0) return 2;
  return lag > 0 ? 1 : 0;
}

/** In words whether anything is stuck. */
export function verdictOf({ error, status, isStuck }: ConsumerView): string {
  if (error !== undefined) return '? cannot be read';
  if (status === undefined || !isStuck) return '● nothing stuck';
  const stuck = status.partitions.filter((one) => one.isStuck).length;
  const parts = [
    ...(status.problems.length > 0 ? ['no records are read'] : []),
    ...(stuck > 0 ? [`${stuck} of ${counted(status.partitions.length, 'partition')} stuck`] : []),
  ];
  return `✖ ${parts.join(', ')}`;
}

/** How many dead letters are open, as far as that is known. */
export function lettersOf({ openLetters, onDeadLetterTopic }: NonNullable<ConsumerView['status']>): string {
  return openLetters === undefined
    ? `at most ${counted(onDeadLetterTopic, 'dead letter')}`
    : counted(openLetters, 'open dead letter');
}

/** The alarms that ring. */
export function ringingOf(alarms: ConsumerView['alarms']): ConsumerView['alarms'] {
  return alarms.filter(({ state }) => state === 'ALARM');
}

function Card({ consumer }: { readonly consumer: ConsumerView }) {
  const { name, topic, status, error, isStuck, parked, alarms } = consumer;
  const ringing = ringingOf(alarms).map((one) => one.name);
  const points = useLive().points[name] ?? [];
  return (
    <section class={isStuck ? 'card stuck' : error ? 'card unknown' : 'card'} aria-label={visible(name)}>
      <h2>
        <a href={hrefOf({ view: 'consumer', consumer: name })}>{visible(name)}</a>
        <span class="verdict">{verdictOf(consumer)}</span>
      </h2>
      {error !== undefined && <Failure error={error} />}
      {ringing.length > 0 && (
        <p class="failure">
          ✖ {counted(ringing.length, 'alarm')}: {visible(ringing.join(', '))}
        </p>
      )}
      {status !== undefined && (
        <>
          <p class="quiet">
            topic {visible(topic)}, mapping {visible(status.mapping)}
          </p>
          {status.problems.map((problem) => (
            <p key={problem} class="failure">
              {visible(problem)}
            </p>
          ))}
          <Strip partitions={status.partitions} />
          <div class="plots">
            <Plot title="Records behind" points={points} of="lag" />
            <Plot title="Records a second" points={points} of="perSecond" />
          </div>
          <p class="links">
            <a href={hrefOf({ view: 'letters', consumer: name })}>{lettersOf(status)}</a>
            <a href={hrefOf({ view: 'parked', consumer: name })}>{counted(parked, 'parked key')}</a>
            {status.inFallbackQueue + (status.inFailureQueue ?? 0) > 0 && (
              <span>{number(status.inFallbackQueue + (status.inFailureQueue ?? 0))} wait for the relay</span>
            )}
          </p>
        </>
      )}
    </section>
  );
}
