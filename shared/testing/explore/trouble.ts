const stands = (when: string) => (process: string) =>
  `⏸ ${process} stands still ${when} this call, for longer than its lease`;

/** What can go wrong at a call, and how a story tells it. */
export const TROUBLES = {
  diesBefore: (process: string) => `✝ ${process} dies before this call`,
  diesAfter: (process: string) => `✝ ${process} dies after this call: it has happened, its answer was never seen`,
  fails: () => '⚡ this call fails: it has not happened',
  answerLost: () => '⚡ this call has happened, but its answer is lost: an error comes back',
  late: () => '⚡ this call is slow: it has not happened yet',
  neverAnswers: () => '⚡ this call has happened, but its answer never comes',
  freezesBefore: stands('before'),
  freezesAfter: stands('after'),
  thawsUnawareBefore: stands('before'),
  thawsUnawareAfter: stands('after'),
} as const;

/**
 * What can go wrong at a call of the handler.
 *
 * - `diesBefore`, `diesAfter`: the process ends, and another one goes on
 * - `fails`, `answerLost`: an error comes back, from a call that has not happened or that has
 * - `late`: the call takes a while. One that nobody awaited then happens never, or after its record counts as handled
 * - `neverAnswers`: the call hangs until the invocation is over, or until the `signal` that was given to it fires
 * - `freezesBefore`, `freezesAfter`: the process stands still, another one takes over, and then it goes on; `context.signal` has
 *   fired by then. A call that is given the signal does not happen any more
 * - `thawsUnawareBefore`, `thawsUnawareAfter`: the same, but the signal has not fired yet. Only `context.transact`, or a condition
 *   on `context.epoch`, can bear that; so they are off unless `troubles` names them
 */
export type Trouble = keyof typeof TROUBLES;

/** Those that are tried unless `troubles` says otherwise. */
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

/** What can go wrong at a request of Lockstep itself, and at a call that answers at once: it cannot be slow or lost. */
export const DEATHS: readonly Trouble[] = ['diesAfter', 'diesBefore'];

export function isTrouble(text: string): text is Trouble {
  return Object.hasOwn(TROUBLES, text);
}
