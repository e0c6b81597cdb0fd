import type { Evidence, Finding } from '../evidence.ts';

/** 6. Fencing: once a later claim was granted, the ledger takes no write of an earlier one. */
export function judgeLedger({ topic, ledger }: Evidence): Finding[] {
  const epochs = new Map<number, number>();
  const findings: Finding[] = [];
  for (const event of ledger) {
    const { partition, epoch } = event;
    const latest = epochs.get(partition) ?? 0;
    if (event.type === 'claimed') {
      if (epoch <= latest)
        findings.push({
          promise: 'fencing',
          text: `${topic}-${partition}: epoch ${epoch} was granted after ${latest}`,
        });
      epochs.set(partition, Math.max(latest, epoch));
    } else if (event.fate === 'applied' && epoch < latest) {
      const first = event.settled[0];
      const about =
        first === undefined
          ? 'nothing settled'
          : `${topic}-${partition}@${first.from} to @${event.settled.at(-1)?.to} settled`;
      findings.push({
        promise: 'fencing',
        text: `${topic}-${partition}: a write of epoch ${epoch} (${about}) was taken under epoch ${latest}`,
      });
    }
  }
  return findings;
}
