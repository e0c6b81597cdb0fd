import { useState } from 'preact/hooks';
import { visible } from '../../cli/visible.ts';
import { counted, errorOf, number, shortDuration } from '../../cli/words.ts';
import type { ConsumerView, PartitionView } from '../messages.ts';
import { Lever } from './lever.tsx';
import { ringingOf } from './overview.tsx';
import { Failure, Table, Time } from './parts.tsx';
import { Plot } from './plot.tsx';
import { Runbook } from './runbook.tsx';
import { useLive, useNow } from './store.ts';
import { Strip, signOf } from './strip.tsx';

/** Partitions in the table before somebody asks for all. */
const FIRST_SHOWN = 50;

/** The alarm that a state belongs to. */
const ALARMS: Readonly<Partial<Record<PartitionView['state'], string>>> = {
  'replay halted': 'replay-halted',
  'flood breaker': 'flood-breaker',
  full: 'partition-full',
  blocked: 'blocked-record',
  waiting: 'loss-suspected',
  'not read': 'pollers-gone',
  'never claimed': 'pollers-gone',
  'lag grows': 'lag-time',
};

/** A consumer's partitions: what blocks first. */
export function Partitions({ consumer }: { readonly consumer: ConsumerView }) {
  const { name, topic, status, commandTarget } = consumer;
  const points = useLive().points[name] ?? [];
  const [range, setRange] = useState('');
  if (status === undefined) return null;
  const standing = status.partitions.filter((one) => one.isStuck || one.blockedRecords.length > 0);
  return (
    <>
      <div class="plots">
        <Plot title="Records behind" points={points} of="lag" />
        <Plot title="Records a second" points={points} of="perSecond" />
      </div>
      <p class="buttons">
        {status.mapping === 'Disabled' ? (
          <Lever label="Resume" order={{ lever: 'resume', consumer: name }} />
        ) : (
          <Lever label="Pause" order={{ lever: 'pause', consumer: name }} />
        )}
      </p>
      <Alarms consumer={consumer} />
      {status.problems.length > 0 && <Runbook alarm="pollers-gone" names={{ target: commandTarget }} />}
      {status.inFallbackQueue + (status.inFailureQueue ?? 0) > 0 && (
        <Runbook alarm="letters-waiting" names={{ target: commandTarget }} />
      )}
      <Strip partitions={status.partitions} />
      {standing.slice(0, FIRST_SHOWN).map((one) => (
        <Standing key={one.partition} consumer={consumer} partition={one} />
      ))}
      <PartitionTable topic={topic} partitions={status.partitions} />
      <ReplayForm consumer={name} topic={topic} range={range} onRange={setRange} />
    </>
  );
}

/** The alarms that ring, each with its entry of the runbook, and how the others are. */
function Alarms({ consumer: { alarms, alarmsError, commandTarget } }: { readonly consumer: ConsumerView }) {
  if (alarmsError !== undefined) return <Failure error={alarmsError} />;
  if (alarms.length === 0) return null;
  const ringing = ringingOf(alarms);
  const isWithoutData = alarms.filter(({ state }) => state === 'INSUFFICIENT_DATA').length;
  return (
    <section aria-label="Alarms">
      <h3>Alarms</h3>
      <p>
        {counted(alarms.length, 'alarm')}: {number(ringing.length)} in ALARM,{' '}
        {number(alarms.length - ringing.length - isWithoutData)} OK
        {isWithoutData > 0 && `, ${number(isWithoutData)} without data yet`}
      </p>
      {ringing.map(({ name, since }) => (
        <div key={name}>
          <p class="failure">
            ✖ {visible(name)}
            {since !== undefined && (
              <>
                {' '}
                since <Time at={since} />
              </>
            )}
          </p>
          <Runbook alarm={name} names={{ target: commandTarget }} />
        </div>
      ))}
    </section>
  );
}

/** What stands in a partition, and what can be done about it. */
function Standing({
  consumer,
  partition: one,
}: {
  readonly consumer: ConsumerView;
  readonly partition: PartitionView;
}) {
  const now = useNow();
  const { name, commandTarget } = consumer;
  const { name: place, record, state, blockedRecords, moreBlocked, heldUntil, pausedUntil, tries } = one;
  const [first] = blockedRecords;
  const alarm = ALARMS[state];
  return (
    <section class={one.isStuck ? 'standing stuck' : 'standing'} aria-label={place}>
      <h3>
        {signOf(one)} {visible(place)}: {state}
      </h3>
      <dl>
        {first !== undefined && record !== undefined && (
          <>
            <dt>Record</dt>
            <dd>
              <code>{visible(record)}</code>
              {blockedRecords.length > 1 && ` and ${number(blockedRecords.length - 1 + moreBlocked)} more`}
            </dd>
            <dt>Tries</dt>
            <dd>
              {counted(first.attempts, 'attempt')}
              {first.interruptions > 0 && `, ${counted(first.interruptions, 'interruption')}`}
            </dd>
            <dt>Next try</dt>
            <dd>{nextTry(pausedUntil ?? first.notBefore, first.exhausted, now)}</dd>
            {first.firstFailedAt !== undefined && (
              <>
                <dt>Since</dt>
                <dd>
                  {shortDuration(now - first.firstFailedAt)} (<Time at={first.firstFailedAt} />)
                </dd>
              </>
            )}
            {first.error !== undefined && (
              <>
                <dt>Error</dt>
                <dd>{visible(errorOf(first.error.name, first.error.text))}</dd>
              </>
            )}
          </>
        )}
        <dt>Held</dt>
        <dd>{heldUntil === undefined ? 'by nobody' : `by an invocation, for ${shortDuration(heldUntil - now)}`}</dd>
        <dt>Behind</dt>
        <dd>{counted(one.lag, 'record')}</dd>
      </dl>
      {first !== undefined && tries.length > 0 && (
        <ol class="timeline" aria-label="Tries that this console has seen">
          {first.firstFailedAt !== undefined && (
            <li>
              <Time at={first.firstFailedAt} /> first failure
            </li>
          )}
          {tries.map(({ at, attempts, error }) => (
            <li key={at}>
              <Time at={at} /> seen after {counted(attempts, 'try', 'tries')}
              {error !== undefined && `: ${visible(error)}`}
            </li>
          ))}
          {first.notBefore !== undefined && (
            <li class="next">
              <Time at={first.notBefore} /> next try
            </li>
          )}
        </ol>
      )}
      <p class="buttons">
        {record !== undefined && <Lever label="Skip this record" order={{ lever: 'skip', consumer: name, record }} />}
        {state === 'replay halted' && (
          <>
            <Lever label="They were handled" order={{ lever: 'reset', consumer: name, partition: place, as: 'skip' }} />
            <Lever
              label="They must run again"
              order={{ lever: 'reset', consumer: name, partition: place, as: 'run' }}
            />
          </>
        )}
        {state === 'flood breaker' && (
          <Lever
            label="Close the breaker"
            order={{ lever: 'reset', consumer: name, partition: place, as: 'breaker' }}
          />
        )}
        {pausedUntil !== undefined && (
          <Lever label="End the pause" order={{ lever: 'resume', consumer: name, partition: place }} />
        )}
        {state !== 'never claimed' && (
          <Lever
            label="Reset the partition"
            order={{ lever: 'reset', consumer: name, partition: place, as: 'forget' }}
          />
        )}
      </p>
      {alarm !== undefined && (
        <Runbook
          alarm={alarm}
          names={{ target: commandTarget, partition: place, ...(record !== undefined && { record }) }}
        />
      )}
    </section>
  );
}

function nextTry(at: number | undefined, isExhausted: boolean, now: number): string {
  if (isExhausted) return 'none: its dead letter is due';
  if (at === undefined) return 'with its next delivery';
  return at > now ? `in ${shortDuration(at - now)}` : 'now';
}

function PartitionTable({
  topic,
  partitions,
}: {
  readonly topic: string;
  readonly partitions: readonly PartitionView[];
}) {
  const now = useNow();
  const [isAll, setAll] = useState(false);
  const sorted = [...partitions].sort(
    (a, b) => Number(b.isStuck) - Number(a.isStuck) || b.lag - a.lag || a.partition - b.partition,
  );
  const shown = isAll ? sorted : sorted.slice(0, FIRST_SHOWN);
  return (
    <>
      <h3>Partitions of {visible(topic)}</h3>
      <Table head={['Partition', 'State', 'Behind', 'Next offset', 'Blocked', 'Tries', 'Held', 'Parked keys']}>
        {shown.map((one) => {
          const [first] = one.blockedRecords;
          return (
            <tr key={one.partition} class={one.isStuck ? 'stuck' : ''}>
              <th scope="row">{one.partition}</th>
              <td>
                {signOf(one)} {one.state}
              </td>
              <td class="number">{number(one.lag)}</td>
              <td class="number">{one.next}</td>
              <td class="number">{first?.offset}</td>
              <td class="number">{first === undefined ? '' : first.attempts + first.interruptions}</td>
              <td class="number">{one.heldUntil === undefined ? '' : shortDuration(one.heldUntil - now)}</td>
              <td class="number">{one.parked}</td>
            </tr>
          );
        })}
      </Table>
      {shown.length < sorted.length && (
        <button type="button" onClick={() => setAll(true)}>
          Show all {number(sorted.length)} partitions
        </button>
      )}
    </>
  );
}

function ReplayForm({
  consumer,
  topic,
  range,
  onRange,
}: {
  readonly consumer: string;
  readonly topic: string;
  readonly range: string;
  readonly onRange: (text: string) => void;
}) {
  const { settings } = useLive();
  if (settings.readOnly) return null;
  return (
    <details>
      <summary>Replay records</summary>
      <p>Copies of the records go to the end of their partition.</p>
      <label>
        Range
        <input
          value={range}
          placeholder={`${topic}-0@10-20`}
          spellcheck={false}
          onInput={({ currentTarget }) => onRange(currentTarget.value.trim())}
        />
      </label>
      <Lever key={range} label="Replay" order={{ lever: 'replay', consumer, range }} isDisabled={range === ''} />
    </details>
  );
}
