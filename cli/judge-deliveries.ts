import type { Delivery } from '../functions/verify/experiment.ts';

/** Which records Lambda delivers again after an answer that reports one of them. docs/deploying.md */
export type Reading = 'lowest' | 'reported' | 'batch' | 'overtaken';

/** What the deliveries of one round show. */
export interface Judgement {
  /** Absent where the round does not tell. */
  readonly reading?: Reading;
  /** What was seen, in one sentence. */
  readonly evidence: string;
  /** From the end of an answer that reported a record to the event that brought it again, in ms. */
  readonly pausesMs: readonly number[];
}

/**
 * Judges which reading holds, by what comes after the first answer that reports one record:
 *
 *   0 … 9, answer: 3      lowest      3 … 9, then newer      batch       0 … 9, then newer
 *                         reported    3, then newer          overtaken   newer, then 3
 *
 * @param deliveries - of one partition, in their order
 */
export function judgeDeliveries(deliveries: readonly Delivery[]): Judgement {
  const at = deliveries.findIndex(({ reported }) => reported !== undefined);
  const first = deliveries[at];
  const reported = first?.reported;
  if (first === undefined || reported === undefined) return { evidence: 'no record was reported', pausesMs: [] };
  const later = deliveries.slice(at + 1);
  const again = later.findIndex(({ indexes }) => indexes.includes(reported));
  const back = later[again];
  const sent = `${spans(first.indexes)} came, ${reported} was reported`;
  if (back === undefined) return { evidence: `${sent}, and did not come again`, pausesMs: [] };
  const pausesMs = pausesOf(deliveries);
  const evidence = `${sent}; then came ${later
    .slice(0, again + 1)
    .map(({ indexes }) => spans(indexes))
    .join(', then ')}`;
  const newest = Math.max(...first.indexes);
  const overtook = later.slice(0, again).some(({ indexes }) => indexes.some((index) => index > newest));
  if (overtook) return { reading: 'overtaken', evidence, pausesMs };
  const isFirst = !first.indexes.some((index) => index < reported);
  if (isFirst || reported === newest)
    return { evidence: `${evidence}: the record was at an end of its event`, pausesMs };
  if (back.indexes.some((index) => index < reported)) return { reading: 'batch', evidence, pausesMs };
  const hasTail = back.indexes.some((index) => index > reported && index <= newest);
  return { reading: hasTail ? 'lowest' : 'reported', evidence, pausesMs };
}

/** What the event after a delivery brought, and how soon, in one sentence. @param which - the delivery */
export function eventAfter(deliveries: readonly Delivery[], which: (delivery: Delivery) => boolean): string {
  const at = deliveries.findIndex(which);
  const [first, next] = [deliveries[at], deliveries[at + 1]];
  if (first === undefined || next === undefined) return 'no event came';
  const brought = first.indexes.length === 0 ? '' : `${spans(first.indexes)} had come; `;
  return `${brought}${spans(next.indexes)} came after ${Math.max(0, next.startedAt - first.endedAt)} ms`;
}

function pausesOf(deliveries: readonly Delivery[]): number[] {
  return deliveries.flatMap(({ reported, endedAt }, at) => {
    const back = deliveries.slice(at + 1).find(({ indexes }) => reported !== undefined && indexes.includes(reported));
    return back === undefined ? [] : [Math.max(0, back.startedAt - endedAt)];
  });
}

/** `0–9, 12`. */
function spans(indexes: readonly number[]): string {
  const parts: { from: number; to: number }[] = [];
  for (const index of indexes) {
    const last = parts.at(-1);
    if (last?.to === index - 1) last.to = index;
    else parts.push({ from: index, to: index });
  }
  return parts.map(({ from, to }) => (from === to ? `${from}` : `${from}–${to}`)).join(', ');
}
