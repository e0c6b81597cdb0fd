import { useState } from 'preact/hooks';
import type { ParkedLine } from '../../cli/parked-keys.ts';
import { visible } from '../../cli/visible.ts';
import { counted, errorOf, number } from '../../cli/words.ts';
import type { Answers, ConsumerView } from '../messages.ts';
import { useLettersVersion } from './letters.tsx';
import { Lever } from './lever.tsx';
import { Answered, Table, Time } from './parts.tsx';
import { hrefOf } from './route.ts';
import { Runbook } from './runbook.tsx';
import { useAnswer } from './store.ts';

/** The parked keys of a consumer, the oldest first. */
export function Parked({ consumer }: { readonly consumer: ConsumerView }) {
  const { name, commandTarget, parked } = consumer;
  const version = `${parked} ${useLettersVersion(consumer)}`;
  const asked = useAnswer<Answers['parked']>('parked', { consumer: name }, version);
  return (
    <Answered asked={asked}>
      {(keys) => (
        <>
          <p>{keys.length === 0 ? 'No key is parked.' : counted(keys.length, 'parked key')}</p>
          {keys.length > 1 && (
            <p class="buttons">
              <Lever label="Release all" order={{ lever: 'release', consumer: name, all: true }} />
            </p>
          )}
          {keys.map((key) => (
            <Key key={key.sequence} consumer={name} parked={key} version={version} />
          ))}
          {keys.length > 0 && <Runbook alarm="parked-key" names={{ target: commandTarget }} />}
        </>
      )}
    </Answered>
  );
}

function Key({
  consumer,
  parked,
  version,
}: {
  readonly consumer: string;
  readonly parked: ParkedLine;
  readonly version: string;
}) {
  const [isOpen, setOpen] = useState(false);
  const { key, partition, waiting, since, behind, fingerprint, next, rounds, heldUntil, lastError, sequence } = parked;
  return (
    <section class="standing" aria-label={`Key ${visible(key)}`}>
      <h3>
        ‖ {visible(key)} <span class="quiet">of {visible(partition)}</span>
      </h3>
      <dl>
        <dt>Waits</dt>
        <dd>
          {counted(waiting, 'record')}, next is number {number(next)}
        </dd>
        <dt>Behind</dt>
        <dd>
          <code>{visible(behind)}</code>
        </dd>
        <dt>Since</dt>
        <dd>
          <Time at={since} />
        </dd>
        <dt>Releases that failed</dt>
        <dd>{number(rounds)}</dd>
        <dt>Error</dt>
        <dd>{visible(lastError ?? `fingerprint ${fingerprint}`)}</dd>
        {heldUntil !== undefined && (
          <>
            <dt>Held until</dt>
            <dd>
              <Time at={heldUntil} />
            </dd>
          </>
        )}
      </dl>
      <p class="buttons">
        <Lever label="Release" order={{ lever: 'release', consumer, sequence }} />
        <Lever label="Drop" order={{ lever: 'drop', consumer, sequence }} />
        <Lever label="Drop what is missing" order={{ lever: 'drop', consumer, sequence, missing: true }} />
      </p>
      <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary>Its records, in order</summary>
        {isOpen && <Sequence consumer={consumer} parked={parked} version={version} />}
      </details>
    </section>
  );
}

function Sequence({
  consumer,
  parked,
  version,
}: {
  readonly consumer: string;
  readonly parked: ParkedLine;
  readonly version: string;
}) {
  const { sequence, next, waiting } = parked;
  const asked = useAnswer<Answers['sequence']>('sequence', { consumer, sequence }, version);
  return (
    <Answered asked={asked}>
      {({ letters = [] }) => {
        const waits = letters.filter(({ ordinal }) => ordinal >= next);
        return (
          <>
            <Table head={['Number', 'Record', 'Parked', 'Error']}>
              {waits.map(({ ordinal, id, origin, deadLetteredAt, errorName, errorMessage }) => (
                <tr key={ordinal}>
                  <td class="number">{ordinal}</td>
                  <th scope="row">
                    <a href={hrefOf({ view: 'letter', consumer, id })}>{visible(origin)}</a>
                  </th>
                  <td>
                    <Time at={deadLetteredAt} />
                  </td>
                  <td>{visible(errorOf(errorName, errorMessage))}</td>
                </tr>
              ))}
            </Table>
            {waits.length < waiting && (
              <p class="quiet">
                {counted(waiting - waits.length, 'record')} more: not shown, or their letters are not on the topic.
              </p>
            )}
          </>
        );
      }}
    </Answered>
  );
}
