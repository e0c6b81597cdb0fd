/** What the commands of the runbook are filled in with. */
export interface Names {
  /** `--stack Prod --consumer Orders` */
  readonly target: string;
  /** `orders-3` */
  readonly partition?: string;
  /** `orders-3@1042` */
  readonly record?: string;
}

/** The command that the runbook names, for this consumer, partition and record. */
export function filledIn(text: string, { target, partition, record }: Names): string {
  const command = text
    .replace(/^lockstep/, 'npx lockstep')
    .replace(/ (--stack \S+|--local)( --consumer \S+)?/, '')
    .replace(/orders-3@1042(?!-)/, record ?? 'orders-3@1042')
    .replace(/orders-3(?![@\d])|<partition>/, partition ?? 'orders-3')
    .replace(/ --why (…|"…")?/, ' --why "..." ')
    .replace(/ --why "\.\.\." "\.\.\."/, ' --why "..."')
    .trim();
  return `${command} ${target}`;
}
