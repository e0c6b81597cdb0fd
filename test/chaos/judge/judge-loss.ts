import type { Evidence, Finding } from '../evidence.ts';
import { nameOf, placeKey } from './by-place.ts';
import { isYetToCome } from './judge-standstill.ts';
import { recordedAt } from './recorded.ts';

/** 1. No loss: every record was handled or has a letter, and the ledger says so. What the group has yet to get to is not lost. */
export function judgeLoss(evidence: Evidence): Finding[] {
  const ended = new Set([
    ...evidence.history.filter(({ what }) => what === 'done').map(placeKey),
    ...evidence.letters.map(placeKey),
  ]);
  const recorded = recordedAt(evidence);
  const findings: Finding[] = [];
  for (const record of evidence.produced) {
    const name = nameOf(evidence, record);
    const key = placeKey(record);
    const isWaiting = isYetToCome(evidence, record) && !recorded.has(key);
    if (!ended.has(key) && !isWaiting)
      findings.push({ promise: 'lost', text: `${name} (${record.does}) was neither handled nor dead-lettered` });
    if (!recorded.has(key) && !isWaiting)
      findings.push({ promise: 'unsettled', text: `${name} (${record.does}) was never recorded as settled` });
  }
  for (const [partition, ranges] of evidence.pending)
    for (const { from, to } of ranges.filter(({ to: last }) => !isYetToCome(evidence, { partition, offset: last })))
      findings.push({
        promise: 'unsettled',
        text: `${nameOf(evidence, { partition, offset: from })} to @${to} is still pending`,
      });
  return findings;
}
