import type { WriteStream } from 'node:tty';

/** A line at the end of the output, until another one takes its place. */
export interface PassingLine {
  show(text: string): void;
  /** Nothing of it stays in a terminal. */
  clear(): void;
}

/** In a terminal each text takes the place of the one before. Elsewhere each is a line. */
export function passingLine(
  out: Pick<WriteStream, 'columns' | 'isTTY'> & { write(text: string): unknown } = process.stdout,
): PassingLine {
  let last = '';
  const empty = '\r\x1b[2K';
  return {
    show(text) {
      if (text === last) return;
      last = text;
      out.write(out.isTTY ? `${empty}${text.slice(0, out.columns - 1)}` : `${text}\n`);
    },
    clear() {
      if (out.isTTY && last !== '') out.write(empty);
      last = '';
    },
  };
}
