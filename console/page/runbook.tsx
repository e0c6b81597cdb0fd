import { filledIn, type Names } from './filled-in.ts';
import { CommandLine, Failure } from './parts.tsx';
import { useAnswer } from './store.ts';

/** An entry of docs/runbook.md, its commands filled in. */
export function Runbook({ alarm, names }: { readonly alarm: string; readonly names: Names }) {
  const asked = useAnswer<Record<string, string>>('runbook', {});
  const text = asked.type === 'answered' ? asked.answer[alarm] : undefined;
  return (
    <details class="runbook">
      <summary>Runbook: {alarm}</summary>
      {asked.type === 'failed' && <Failure error={asked.error} />}
      {text?.split(/\n\n+/).map((block) => (
        <Block key={block} text={block} names={names} />
      ))}
    </details>
  );
}

function Block({ text, names }: { readonly text: string; readonly names: Names }) {
  const items = text.split(/\n(?=\s*(?:\d+\.|-) )/);
  if (!/^\s*(?:\d+\.|-) /.test(text)) {
    return (
      <p>
        <Inline text={text} names={names} />
      </p>
    );
  }
  return (
    <ul class="steps">
      {items.map((item) => (
        <li key={item}>
          <Inline text={item.replace(/^\s*- /, '').trim()} names={names} />
        </li>
      ))}
    </ul>
  );
}

/** Code, strong and emphasised text, and the text of links: more is not in the runbook. */
function Inline({ text, names }: { readonly text: string; readonly names: Names }) {
  const parts = text.split(/(`[^`]+`|\*\*[^*]+\*\*|\*[^*]+\*|\[[^\]]+\]\([^)]+\))/);
  return (
    <>
      {parts.map((part, index) => {
        const key = index;
        if (part.startsWith('`')) return <Code key={key} text={part.slice(1, -1)} names={names} />;
        if (part.startsWith('**')) return <b key={key}>{part.slice(2, -2)}</b>;
        if (part.startsWith('*')) return <i key={key}>{part.slice(1, -1)}</i>;
        if (part.startsWith('[')) return part.slice(1, part.indexOf(']'));
        return part;
      })}
    </>
  );
}

function Code({ text, names }: { readonly text: string; readonly names: Names }) {
  if (!/^(npx )?lockstep [a-z]/.test(text)) return <code>{text}</code>;
  return <CommandLine text={filledIn(text, names)} />;
}
