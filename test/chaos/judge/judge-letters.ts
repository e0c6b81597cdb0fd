import type { Evidence, Finding } from '../evidence.ts';
import { isPoison } from '../plan.ts';
import { nameOf, placeKey } from './by-place.ts';
import { isYetToCome } from './judge-standstill.ts';

/** 1 and 7. Poison has a letter, one id whatever its copies, the record's own bytes; nothing else has one; no letter is followed by handling. */
export function judgeLetters(evidence: Evidence): Finding[] {
  const letters = Map.groupBy(evidence.letters, placeKey);
  const records = new Map(evidence.produced.map((record) => [placeKey(record), record]));
  const places = new Map<string, string>();
  const findings: Finding[] = [];
  for (const record of evidence.produced) {
    const copies = letters.get(placeKey(record)) ?? [];
    const name = nameOf(evidence, record);
    if (isPoison(record) && copies.length === 0 && !isYetToCome(evidence, record))
      findings.push({ promise: 'letterMissing', text: `${name} (${record.does}) has no letter` });
    const ids = [...new Set(copies.map(({ id }) => id))];
    if (ids.length > 1) findings.push({ promise: 'letterDoubled', text: `${name} has letters ${ids.join(' and ')}` });
    if (!isPoison(record) && copies.length > 0)
      findings.push({ promise: 'letterForeign', text: `${name} (${record.does}) has a letter` });
  }
  for (const letter of evidence.letters) {
    const key = placeKey(letter);
    const record = records.get(key);
    const name = nameOf(evidence, letter);
    if (record === undefined)
      findings.push({ promise: 'letterForeign', text: `${name} was never produced and has a letter` });
    else if (record.key !== letter.key || record.value !== letter.value)
      findings.push({ promise: 'letterForeign', text: `the letter of ${name} has other bytes` });
    const other = places.get(letter.id) ?? key;
    if (other !== key) findings.push({ promise: 'letterDoubled', text: `${name} has the letter id of @${other}` });
    places.set(letter.id, key);
  }
  for (const event of evidence.history) {
    const copies = letters.get(placeKey(event));
    if (copies === undefined) continue;
    const name = nameOf(evidence, event);
    if (event.what === 'done') findings.push({ promise: 'both', text: `${name} was handled and has a letter` });
    else if (copies.some(({ deadLetteredAt }) => deadLetteredAt < event.at))
      findings.push({ promise: 'both', text: `${name} started after its letter, epoch ${event.epoch}` });
  }
  return findings;
}
