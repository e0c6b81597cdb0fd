/** A part of the results: a heading, what was measured and how, tables. */
export interface Section {
  readonly title: string;
  readonly text: string;
  readonly tables: readonly Table[];
}

/** Cells as text; the first column on the left, numbers on the right. */
export interface Table {
  readonly caption?: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A section in Markdown. */
export function toMarkdown({ title, text, tables }: Section): string {
  return [`## ${title}`, text, ...tables.map(tableText)].join('\n\n');
}

function tableText({ caption, head, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = `|${head.map((_, index) => (index === 0 ? '---' : '---:')).join('|')}|`;
  const table = [line(head), rule, ...rows.map(line)].join('\n');
  return caption === undefined ? table : `**${caption}**\n\n${table}`;
}
