import type { Evidence, Finding, HandlerEvent, LedgerEvent } from '../evidence.ts';
import { nameOf, placeKey } from './by-place.ts';
import { recordedAt } from './recorded.ts';

type Write = Extract<LedgerEvent, { type: 'write' }>;

/** A checkpoint's own way besides its interval, on a machine that has other things to do. */
const SLACK_MS = 1_500;

/**
 * 3. What is recorded as settled is not handled again. 4. Otherwise only what ran since the last checkpoint: whoever lived on
 * longer than that after a handling, its ledger undisturbed, must at least have asked for it to be recorded.
 */
export function judgeRepeats(evidence: Evidence): Finding[] {
  const recorded = recordedAt(evidence);
  const lastSign = new Map<string, number>();
  for (const { partition, epoch, at } of evidence.history) lastSign.set(`${partition}#${epoch}`, at);
  const writes = Map.groupBy(
    evidence.ledger.filter((event) => event.type === 'write'),
    ({ partition, epoch }) => `${partition}#${epoch}`,
  );
  const done = new Map<string, HandlerEvent>();
  const findings: Finding[] = [];
  for (const event of evidence.history) {
    const key = placeKey(event);
    if (event.what === 'done') {
      done.set(key, event);
      continue;
    }
    const name = nameOf(evidence, event);
    const settledAt = recorded.get(key);
    if (settledAt !== undefined && settledAt < event.at) {
      const text = `${name} started ${event.at - settledAt} ms after the ledger had recorded it, epoch ${event.epoch}`;
      findings.push({ promise: 'rerun', text });
      continue;
    }
    const before = done.get(key);
    if (before === undefined) continue;
    const claim = `${before.partition}#${before.epoch}`;
    const why = beyondWindow(
      before,
      event,
      lastSign.get(claim) ?? before.at,
      writes.get(claim) ?? [],
      evidence.checkpointMs,
    );
    if (why !== undefined) findings.push({ promise: 'window', text: `${name} started again: ${why}` });
  }
  return findings;
}

function beyondWindow(
  before: HandlerEvent,
  again: HandlerEvent,
  livedUntil: number,
  writes: readonly Write[],
  checkpointMs: number,
): string | undefined {
  if (again.epoch === before.epoch) return `epoch ${again.epoch} had handled it itself`;
  const livedOnMs = livedUntil - before.at;
  if (livedOnMs <= checkpointMs + SLACK_MS) return undefined;
  const wasAsked = writes.some(
    ({ askedAt, settled }) =>
      askedAt >= before.at && settled.some(({ from, to }) => from <= before.offset && before.offset <= to),
  );
  // A write under way keeps the next one waiting.
  const wasDisturbed = writes.some(
    ({ askedAt, at, disturbed, fate }) => (disturbed || fate === 'lost') && at >= before.at && askedAt <= livedUntil,
  );
  if (wasAsked || wasDisturbed) return undefined;
  return `epoch ${before.epoch} had handled it, lived on for ${livedOnMs} ms, and never asked for it to be recorded`;
}
