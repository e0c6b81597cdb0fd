const stands = (when: string) => (process: string) => `⏸ ${process} freezes ${when} this call, until its lease is over`;

/** Faults at a call, and their text in the timeline. */
export const TROUBLES = {
  diesBefore: (process: string) => `✝ ${process} dies before this call`,
  diesAfter: (process: string) => `✝ ${process} dies after this call: it happened, and its answer was lost`,
  fails: () => '⚡ this call fails: it did not happen',
  answerLost: () => '⚡ this call happened, but its answer is lost: it rejects',
  late: () => '⚡ this call is slow: it has not happened yet',
  neverAnswers: () => '⚡ this call happened, but its answer never comes',
  freezesBefore: stands('before'),
  freezesAfter: stands('after'),
  thawsUnawareBefore: stands('before'),
  thawsUnawareAfter: stands('after'),
} as const;

/**
 * Faults at a call of the handler.
 *
 * - `diesBefore`, `diesAfter`: the process ends, and another one goes on
 * - `fails`, `answerLost`: an error comes back, from a call that has not happened or that has
 * - `late`: the call takes a second. If nobody awaits it, it never happens, or it happens after its record counts as handled
 * - `neverAnswers`: the call hangs until the invocation is over, or until the `signal` that was given to it fires
 * - `freezesBefore`, `freezesAfter`: the process freezes, another one handles its records, and then it continues. By then
 *   `context.signal` has fired: a call that was given the signal rejects, and does not happen
 * - `thawsUnawareBefore`, `thawsUnawareAfter`: the same, but the signal has not fired yet. Only `context.transact`, or a condition
 *   on `context.epoch`, is safe then. So they are off unless `troubles` names them
 */
export type Trouble = keyof typeof TROUBLES;

/** The faults that are tried unless `troubles` names others. */
export const USUAL_TROUBLES: readonly Trouble[] = [
  'diesAfter',
  'diesBefore',
  'late',
  'answerLost',
  'fails',
  'freezesBefore',
  'freezesAfter',
  'neverAnswers',
];

/** Faults at a request of Lockstep itself, and at a call that returns at once. */
export const DEATHS: readonly Trouble[] = ['diesAfter', 'diesBefore'];

export function isTrouble(text: string): text is Trouble {
  return Object.hasOwn(TROUBLES, text);
}
