import { shown } from './difference.ts';
import type { Moment } from './run-end.ts';

/** The most lines of a message, with everything around the timeline. */
const MOST_LINES = 15;

/** A call as text, without signals and functions. */
export function called(name: string, given: readonly unknown[]): string {
  const told = given.filter((one) => typeof one !== 'function' && !(one instanceof AbortSignal));
  if (name.endsWith('=')) return `${name} ${told.map((one) => shown(one, 50)).join()}`;
  return `${name}(${told.map((one) => shown(one, 50)).join(', ')})`;
}

/**
 * A run as a timeline.
 *
 * @param around - how many lines come before and after it in the message
 */
export function timeline(story: readonly Moment[], around: number): readonly string[] {
  const kept = cut(story, MOST_LINES - around);
  let last: string | undefined;
  return kept.map((moment) => {
    if (moment === undefined) return `${' '.repeat(12)}…`;
    const at = `${(moment.at / 1_000).toFixed(1)} s`;
    const time = at === last ? '' : at;
    last = at;
    return `${time.padStart(10)}  ${moment.text}`;
  });
}

/** The lines near faults and the last ones, in order; `undefined` where others are left out. */
function cut(story: readonly Moment[], most: number): (Moment | undefined)[] {
  if (story.length <= most) return [...story];
  const troubles = story.flatMap(({ isTrouble }, index) => (isTrouble ? [index] : []));
  const distance = (index: number) => Math.min(story.length - 1 - index, ...troubles.map((at) => Math.abs(at - index)));
  const order = story.map((_, index) => index).sort((a, b) => distance(a) - distance(b) || a - b);
  for (let count = most; count > 0; count--) {
    const kept = new Set(order.slice(0, count));
    const lines = withGaps(story, kept);
    if (lines.length <= most) return lines;
  }
  return [];
}

function withGaps(story: readonly Moment[], kept: ReadonlySet<number>): (Moment | undefined)[] {
  const lines: (Moment | undefined)[] = [];
  for (const [index, moment] of story.entries()) {
    if (kept.has(index)) lines.push(moment);
    else if (lines.length === 0 || lines.at(-1) !== undefined) lines.push(undefined);
  }
  return lines;
}
