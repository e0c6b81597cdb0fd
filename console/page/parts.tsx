import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { visible } from '../../cli/visible.ts';
import type { Said } from '../messages.ts';
import type { Asked } from './store.ts';

/** An error, where it happened. */
export function Failure({ error }: { readonly error: Said }) {
  const isNamed = error.message.startsWith(error.code);
  return (
    <p class="failure" role="alert">
      <b>✖ {isNamed ? '' : `${visible(error.code)}: `}</b>
      {visible(error.message)}
    </p>
  );
}

/** What an answer becomes, or that it is waited for, or why there is none. */
export function Answered<T>({
  asked,
  children,
}: {
  readonly asked: Asked<T>;
  readonly children: (answer: T) => ComponentChildren;
}) {
  switch (asked.type) {
    case 'waiting':
      return <p class="quiet">Reading …</p>;
    case 'failed':
      return <Failure error={asked.error} />;
    case 'answered':
      return <>{children(asked.answer)}</>;
  }
}

/** A command to copy. */
export function CommandLine({ text }: { readonly text: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = () => {
    void navigator.clipboard.writeText(text).then(() => setCopied(true));
  };
  return (
    <span class="command">
      <code>{visible(text)}</code>
      <button type="button" onClick={copy}>
        {isCopied ? 'Copied' : 'Copy'}
      </button>
    </span>
  );
}

/** A point in time of this day, in the local time zone; the exact one on hovering. */
export function Time({ at }: { readonly at: number | string }) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return <span>{String(at)}</span>;
  const isToday = date.toDateString() === new Date().toDateString();
  return (
    <time dateTime={date.toISOString()} title={date.toISOString()}>
      {isToday ? date.toLocaleTimeString() : date.toLocaleString()}
    </time>
  );
}

/** A table that scrolls by itself where it is too wide. */
export function Table({ head, children }: { readonly head: readonly string[]; readonly children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
    <section class="table" tabIndex={0} aria-label={`Table: ${head.filter(Boolean).join(', ')}`}>
      <table>
        <thead>
          <tr>
            {head.map((text) => (
              <th key={text} scope="col">
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}
