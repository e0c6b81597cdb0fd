import type { HistoryEvent, Moment, SimInvocation } from './history.ts';
import { nameOf } from './kafka-log.ts';
import type { RunResult } from './run.ts';

const LANE_WIDTH = 44;
const MOST_LANES = 4;

/** One line of a timeline: in the lane of an invocation's partition, or across all lanes. */
interface Entry {
  readonly at: number;
  readonly lane: string | undefined;
  readonly text: string;
}

/**
 * A history for people: one lane per invocation and partition, side by side while they overlap, what concerns all across.
 *
 * @param most - lines, the last ones
 */
export function timeline({ history, violation }: RunResult, most = 150): string {
  const entries = history.flatMap((moment) => entriesOf(moment));
  const lanes: (string | undefined)[] = [];
  const lastSeen = new Map<string, number>();
  for (const [index, { lane }] of entries.entries()) if (lane !== undefined) lastSeen.set(lane, index);
  const lines = entries.map(({ at, lane, text }, index) => {
    const moment = `${(at / 1_000).toFixed(3).padStart(10)}  `;
    if (lane === undefined) return `${moment}· ${text}`;
    let column = lanes.indexOf(lane);
    if (column < 0) {
      column = lanes.findIndex((taken) => taken === undefined || (lastSeen.get(taken) ?? 0) < index);
      if (column < 0) column = lanes.length < MOST_LANES ? lanes.length : index % MOST_LANES;
      lanes[column] = lane;
    }
    return `${moment}${' '.repeat(column * LANE_WIDTH)}${lane.padEnd(12)} ${text}`;
  });
  const cut = lines.length > most ? [`     … ${lines.length - most} earlier lines`, ...lines.slice(-most)] : lines;
  return [...cut, violation === undefined ? '' : `    *** ${violation.property}: ${violation.text}`].join('\n');
}

function entriesOf({ at, event }: Moment): Entry[] {
  const invocation = invocationOf(event);
  if (event.type === 'sent')
    return [...event.invocation.parts].map(([place, records]) => ({
      at,
      lane: laneOf(event.invocation, place),
      text: `◀ ${records.map(nameOf).join(' ')}  (${event.invocation.host})`,
    }));
  const place = placeOf(event);
  const lane =
    invocation === undefined ? undefined : laneOf(invocation, place ?? [...invocation.parts.keys()][0] ?? '');
  return [{ at, lane, text: textOf(event) }];
}

function laneOf({ id }: SimInvocation, place: string): string {
  return `i${id} ${place}`;
}

function invocationOf(event: HistoryEvent): SimInvocation | undefined {
  if ('invocation' in event) return event.invocation;
  return 'by' in event && typeof event.by === 'object' && event.by.type === 'invocation'
    ? event.by.invocation
    : undefined;
}

function placeOf(event: HistoryEvent): string | undefined {
  if ('record' in event) return event.record.place;
  return 'place' in event ? event.place : undefined;
}

function textOf(event: HistoryEvent): string {
  switch (event.type) {
    case 'sent':
      return '';
    case 'changed':
      return changed(event);
    case 'started':
      return `START ${nameOf(event.record)} (attempt ${event.attempt})`;
    case 'ended':
      return `${event.how} ${nameOf(event.record)}`;
    case 'letter':
      return `${event.by.type === 'relay' ? `relay, ${event.record.place}: ` : ''}LETTER of ${nameOf(event.record)} to the ${event.where}`;
    case 'drops':
      return `operator gives up on ${event.sequence} up to ${event.upTo}`;
    case 'parked':
      return parked(event);
    case 'effect':
      return `effect of ${nameOf(event.record)}`;
    case 'produced':
      return `${nameOf(event.record)} passed on`;
    case 'notProduced':
      return `${nameOf(event.record)} not passed on`;
    case 'effectRefused':
      return `effect of ${nameOf(event.record)} refused`;
    case 'completed':
      return `key of ${event.position} completed`;
    case 'answered':
      return `▶ ${event.failures.map(({ partition, offset }) => `${partition}@${offset}`).join(' ') || 'all done'}`;
    case 'died':
      return `✝ dies of ${event.why}`;
    case 'fault':
      return `⚡ ${event.kind}: ${event.text}`;
    case 'abandoned':
      return `${event.place}: ${event.offsets.join(' ')} left to the relay by the ${event.by}`;
    case 'decided':
      return `operator, ${event.place}: ${event.command} below ${event.below}`;
    case 'vanished':
      return `retention takes ${event.record.place} ${nameOf(event.record)}`;
    case 'recreated':
      return `the topic is deleted and created again, life ${event.generation + 1}`;
    case 'rewound':
      return `the group's offset of ${event.place} is set back`;
    case 'mapping':
      return `mapping: ${event.text}`;
    case 'sign':
      return `something shows of ${event.place}`;
    case 'said':
      return `“${event.text}”`;
    case 'rested':
      return event.stuck ?? 'all at rest';
  }
}

function parked({ by, place, before, after }: Extract<HistoryEvent, { type: 'parked' }>): string {
  const who = by.type === 'invocation' ? '' : `${by.type}, ${place}: `;
  if (after === undefined) return `${who}FREES ${before?.sequence} (tail ${before?.tail})`;
  const { sequence, tail, epoch, rev, owner, progress } = after;
  const heads = [...progress.blockedRecords.values()].map(
    (one) => `${one.offset}:${one.attempts}/${one.interruptions}`,
  );
  return `${who}key ${sequence} tail ${tail} e${epoch} r${rev} ${owner ?? 'nobody'} settled ${ranges(progress.settled)} heads ${heads.join(' ')} careful ${progress.isolateUntil ?? '-'}`;
}

function changed({ by, place, before, after }: Extract<HistoryEvent, { type: 'changed' }>): string {
  const { progress } = after;
  const isClaim = after.epoch > (before?.epoch ?? 0);
  const what = isClaim ? 'claims' : after.owner === undefined ? 'releases' : 'writes';
  const who = by.type === 'invocation' ? '' : `${by.type}, ${place}: `;
  const blockedRecords = [...progress.blockedRecords.values()].map(
    ({ offset, attempts, interruptions, exhausted, parked }) =>
      `${offset}:${attempts}/${interruptions}${exhausted ? 'X' : ''}${parked ? `=${parked.sequence}/${parked.ordinal}` : ''}`,
  );
  const parts = [
    `${who}${what} e${after.epoch} r${after.rev}`,
    progress.settled.length > 0 && `settled ${ranges(progress.settled)}`,
    progress.pending.length > 0 && `pending ${ranges(progress.pending)}`,
    isClaim &&
      after.claims.length > 1 &&
      `dead ${after.claims
        .slice(0, -1)
        .map(({ offsets }) => ranges(offsets))
        .join(' ')}`,
    blockedRecords.length > 0 && `blocked ${blockedRecords.join(' ')}`,
    progress.isolateUntil !== undefined && `isolated to ${progress.isolateUntil}`,
    progress.running !== undefined && `running ${progress.running.offset}`,
    progress.missingRecord !== undefined &&
      `missing ${progress.missingRecord.offset}×${progress.missingRecord.laterBatches}`,
    progress.replayRefused.length > 0 && `replay refused ${ranges(progress.replayRefused)}`,
    progress.floor !== undefined && `floor ${progress.floor}`,
  ];
  return parts.filter((part) => part !== false).join(' ');
}

function ranges(offsets: readonly { readonly from: number; readonly to: number }[]): string {
  return offsets.map(({ from, to }) => (from === to ? `${from}` : `${from}–${to}`)).join(',') || 'none';
}
