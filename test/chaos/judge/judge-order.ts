import type { Evidence, Finding } from '../evidence.ts';
import { nameOf, placeKey } from './by-place.ts';

/** Where a partition stands while its history is read. */
interface Reading {
  /** Everything below it was handled or dead-lettered. */
  open: number;
  /** Of the claim that started something last. */
  epoch: number;
  /** What that claim started last. */
  last: number;
}

/** 2. Order: nothing starts before everything before it is handled or has its letter, nor under a claim that another one succeeded. */
export function judgeOrder(evidence: Evidence): Finding[] {
  const letteredAt = new Map<string, number>();
  for (const letter of evidence.letters) {
    const key = placeKey(letter);
    letteredAt.set(key, Math.min(letter.deadLetteredAt, letteredAt.get(key) ?? Number.POSITIVE_INFINITY));
  }
  const done = new Set<string>();
  const readings = Array.from({ length: evidence.partitions }, (): Reading => ({ open: 0, epoch: 0, last: -1 }));
  const findings: Finding[] = [];
  for (const event of evidence.history) {
    const { partition, offset, epoch, at } = event;
    const reading = readings[partition];
    if (reading === undefined) continue;
    if (event.what === 'done') {
      done.add(placeKey(event));
      continue;
    }
    const isClosed = (key: string) => done.has(key) || (letteredAt.get(key) ?? Number.POSITIVE_INFINITY) <= at;
    while (reading.open < offset && isClosed(placeKey({ partition, offset: reading.open }))) reading.open += 1;
    const name = nameOf(evidence, event);
    const say = (text: string) => findings.push({ promise: 'order', text: `${name} started ${text}` });
    if (reading.open < offset) say(`while @${reading.open} was neither handled nor dead-lettered`);
    else if (epoch < reading.epoch) say(`under epoch ${epoch}, after epoch ${reading.epoch} had started something`);
    else if (epoch === reading.epoch && offset < reading.last) say(`after @${reading.last} in the same claim`);
    if (epoch > reading.epoch) reading.epoch = epoch;
    reading.last = offset;
  }
  return findings;
}
