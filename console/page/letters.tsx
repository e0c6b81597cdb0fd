import { useState } from 'preact/hooks';
import { visible } from '../../cli/visible.ts';
import { counted, errorOf, number } from '../../cli/words.ts';
import { type Answers, type ConsumerView, MOST_LETTERS, type ValueView } from '../messages.ts';
import { shellWord } from '../shell-word.ts';
import { Lever } from './lever.tsx';
import { Answered, CommandLine, Failure, Table, Time } from './parts.tsx';
import { hrefOf } from './route.ts';
import { Runbook } from './runbook.tsx';
import type { Asked } from './store.ts';
import { ask, saidOf, useAnswer, useLive } from './store.ts';

/** Causes that are added to the table at once. */
const CAUSES_AT_ONCE = 100;

/** Changes when the dead-letter topic does, or when a change has ended: then lists are read again. */
export function useLettersVersion({ status }: ConsumerView): string {
  const ended = useLive().runs.filter(({ state }) => state !== 'running' && state !== 'stopping').length;
  return `${status?.onDeadLetterTopic} ${ended}`;
}

/** Open dead letters by cause. */
export function Groups({ consumer }: { readonly consumer: ConsumerView }) {
  const { name, commandTarget } = consumer;
  const [shown, setShown] = useState(CAUSES_AT_ONCE);
  const asked = useAnswer<Answers['groups']>('groups', { consumer: name }, useLettersVersion(consumer));
  return (
    <Answered asked={asked}>
      {({ groups, causes, letters, foreign }) => (
        <>
          <p>
            {counted(letters, 'open dead letter')} of {counted(causes, 'cause')}
            {causes > groups.length && `, the ${groups.length} most frequent shown`}
          </p>
          {groups.length > 0 && (
            <>
              <Table head={['Cause', 'Letters', 'Over time', 'First', 'Last', 'Fingerprint', 'Levers']}>
                {groups
                  .slice(0, shown)
                  .map(({ fingerprint, errorName, exampleMessage, count, firstSeen, lastSeen, slots = [] }) => (
                    <tr key={fingerprint}>
                      <th scope="row">
                        <a href={hrefOf({ view: 'group', consumer: name, fingerprint })}>
                          {visible(errorOf(errorName, exampleMessage))}
                        </a>
                      </th>
                      <td class="number">{number(count)}</td>
                      <td>
                        <Bars counts={slots} />
                      </td>
                      <td>
                        <Time at={firstSeen} />
                      </td>
                      <td>
                        <Time at={lastSeen} />
                      </td>
                      <td>
                        <code>{visible(fingerprint)}</code>
                      </td>
                      <td class="buttons">
                        <Lever label="Redrive" order={{ lever: 'redrive', consumer: name, fingerprint }} />
                        <Lever label="Purge" order={{ lever: 'purge', consumer: name, fingerprint }} />
                      </td>
                    </tr>
                  ))}
              </Table>
              {groups.length > shown && (
                <button type="button" onClick={() => setShown(shown + CAUSES_AT_ONCE)}>
                  Show more causes
                </button>
              )}
              <p class="buttons">
                <Lever label="Redrive all" order={{ lever: 'redrive', consumer: name }} />
                <Lever label="Purge all" order={{ lever: 'purge', consumer: name }} />
              </p>
              <Runbook alarm="dead-letters" names={{ target: commandTarget }} />
            </>
          )}
          {foreign > 0 && (
            <p>
              {counted(foreign, 'record')} of the topic: not written by Lockstep for this consumer.{' '}
              <code>lockstep dead-letters foreign</code> lists them; no redrive touches them.
            </p>
          )}
        </>
      )}
    </Answered>
  );
}

/** Letters over the time of all causes: a bar for each part of it. */
function Bars({ counts }: { readonly counts: readonly number[] }) {
  const most = Math.max(1, ...counts);
  const bars = counts.map((count, part) => {
    const height = count === 0 ? 0 : Math.max(2, (count * 20) / most);
    return `M${part * 4} 20v${-height}h3v${height}z`;
  });
  const said = `letters in ${counts.length} equal parts of the time: ${counts.join(', ')}`;
  return (
    <svg class="bars" viewBox={`0 0 ${counts.length * 4} 20`} role="img" aria-label={said}>
      <path d={bars.join('')} />
    </svg>
  );
}

/** The letters of one cause. */
export function Group({ consumer, fingerprint }: { readonly consumer: ConsumerView; readonly fingerprint: string }) {
  const { name, commandTarget } = consumer;
  const [limit, setLimit] = useState(50);
  const version = useLettersVersion(consumer);
  const asked = useAnswer<Answers['letters']>(
    'letters',
    { consumer: name, fingerprint, limit: String(limit) },
    version,
  );
  return (
    <>
      <p class="buttons">
        <Lever label="Redrive this cause" order={{ lever: 'redrive', consumer: name, fingerprint }} />
        <Lever label="Purge this cause" order={{ lever: 'purge', consumer: name, fingerprint }} />
      </p>
      <Answered asked={asked}>
        {({ letters, total }) => (
          <>
            <p>
              {counted(total, 'open dead letter')} with fingerprint <code>{visible(fingerprint)}</code>
            </p>
            {letters.length > 0 && (
              <Table head={['Record', 'Key', 'Dead since', 'Tries', 'Redriven', 'Error']}>
                {letters.map(({ id, origin, key, deadLetteredAt, attempts, redriveCount, errorName, errorMessage }) => (
                  <tr key={id}>
                    <th scope="row">
                      <a href={hrefOf({ view: 'letter', consumer: name, id })}>{visible(origin)}</a>
                    </th>
                    <td>{key === null ? <i>none</i> : visible(key)}</td>
                    <td>
                      <Time at={deadLetteredAt} />
                    </td>
                    <td class="number">{attempts}</td>
                    <td class="number">{redriveCount}</td>
                    <td>{visible(errorOf(errorName, errorMessage))}</td>
                  </tr>
                ))}
              </Table>
            )}
            {letters.length < total &&
              (limit < MOST_LETTERS ? (
                <button type="button" onClick={() => setLimit(Math.min(MOST_LETTERS, limit * 4))}>
                  Show more
                </button>
              ) : (
                <p>
                  The first {number(MOST_LETTERS)} are shown. All of them:{' '}
                  <CommandLine
                    text={`npx lockstep dead-letters list --fingerprint ${shellWord(fingerprint)} --limit ${total} ${commandTarget}`}
                  />
                </p>
              ))}
          </>
        )}
      </Answered>
    </>
  );
}

/** One dead letter. Its value is read only when somebody asks for it. */
export function Letter({ consumer, id }: { readonly consumer: ConsumerView; readonly id: string }) {
  const { name } = consumer;
  const asked = useAnswer<Answers['letter']>('letter', { consumer: name, id });
  return (
    <Answered asked={asked}>
      {({ origin, key, errorName, errorMessage, headers, ...letter }) => (
        <>
          <h3>{visible(origin)}</h3>
          <p class="buttons">
            <Lever label="Redrive this letter" order={{ lever: 'redrive', consumer: name, id }} />
            <Lever label="Purge this letter" order={{ lever: 'purge', consumer: name, id }} />
          </p>
          <dl>
            <dt>Error</dt>
            <dd>{visible(errorOf(errorName, errorMessage))}</dd>
            <dt>Key</dt>
            <dd>{key === null ? <i>none</i> : <code>{visible(key)}</code>}</dd>
            <dt>Record’s time</dt>
            <dd>
              <Time at={letter.timestamp} />
            </dd>
            <dt>Dead since</dt>
            <dd>
              <Time at={letter.deadLetteredAt} />
            </dd>
            <dt>Tries</dt>
            <dd>
              {counted(letter.attempts, 'attempt')}, {counted(letter.interruptions, 'interruption')}
            </dd>
            <dt>Redriven</dt>
            <dd>{counted(letter.redriveCount, 'time')}</dd>
            {letter.doubtful && (
              <>
                <dt>Careful</dt>
                <dd>It is not known whether the record was handled.</dd>
              </>
            )}
            <dt>Id</dt>
            <dd>
              <code>{visible(id)}</code>
            </dd>
          </dl>
          <h4>Value</h4>
          <Value consumer={name} id={id} bytes={letter.valueBytes} />
          {headers
            .filter((header) => header.name.includes('stack'))
            .map((header) => (
              <div key={header.name}>
                <h4>{visible(header.name)}</h4>
                <Lines text={header.value} />
              </div>
            ))}
          <h4>Headers</h4>
          <Table head={['Name', 'Value']}>
            {headers.map((header, index) => (
              <tr key={index}>
                <th scope="row">{visible(header.name)}</th>
                <td>{visible(header.value)}</td>
              </tr>
            ))}
          </Table>
        </>
      )}
    </Answered>
  );
}

function Value({ consumer, id, bytes }: { readonly consumer: string; readonly id: string; readonly bytes: number }) {
  const { settings } = useLive();
  const [asked, setAsked] = useState<Asked<ValueView>>();
  if (settings.noValues) return <p>{counted(bytes, 'byte')}. The console was started with --no-values.</p>;
  const read = () => {
    setAsked({ type: 'waiting' });
    ask<ValueView>('value', { consumer, id }).then(
      (answer) => setAsked({ type: 'answered', answer }),
      (error) => setAsked({ type: 'failed', error: saidOf(error) }),
    );
  };
  if (asked === undefined)
    return (
      <p>
        <button type="button" onClick={read}>
          Show the value ({counted(bytes, 'byte')})
        </button>
      </p>
    );
  if (asked.type === 'waiting') return <p class="quiet">Reading …</p>;
  if (asked.type === 'failed') return <Failure error={asked.error} />;
  const { form, text, cut } = asked.answer;
  return (
    <>
      <p class="quiet">
        {form === 'none' ? 'None: a tombstone.' : `${counted(bytes, 'byte')}, as ${form === 'json' ? 'JSON' : form}`}
        {cut > 0 && `; the last ${number(cut)} are not shown`}
      </p>
      {form !== 'none' && <Lines text={text} />}
    </>
  );
}

/** A text with its line ends and tabs; nothing else in it acts or hides. */
function Lines({ text }: { readonly text: string }) {
  const lines = text.split(/\r?\n/).map((line) => line.split('\t').map(visible).join('\t'));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
    <pre tabIndex={0}>{lines.join('\n')}</pre>
  );
}
