import type { Bug } from './bugs.ts';

const BATCH = 'shared/runtime/batch-runner.ts';
const SESSION = 'shared/runtime/ledger-session.ts';
const CONSEQUENCES = 'shared/runtime/consequences.ts';

/** Deliberate bugs in bulk handlers, in effects of the ledger's transaction and in what is passed on. */
export const PATTERN_BUGS = {
  'batch-failure-settles-its-record': {
    what: 'the record that a BatchFailure names is settled with those before it',
    patches: [
      {
        file: BATCH,
        find: 'const records = call.ready.map(({ delivered }) => delivered).filter(({ offset }) => offset < limit);',
        put: 'const records = call.ready.map(({ delivered }) => delivered).filter(({ offset }) => offset <= limit);',
      },
    ],
    set: 'base',
    within: 100,
    breaks: 'P1 no loss',
  },
  'batch-failure-settles-what-follows': {
    what: 'all of a call is settled with the records before the one that it names',
    patches: [
      {
        file: BATCH,
        find: 'const records = call.ready.map(({ delivered }) => delivered).filter(({ offset }) => offset < limit);',
        put: 'const records = call.ready.map(({ delivered }) => delivered).filter(({ offset }) => offset !== limit);',
      },
    ],
    set: 'base',
    within: 100,
    breaks: 'P1 no loss',
  },
  'batch-blames-its-first': {
    what: 'a call that names nobody is put down to its first record',
    patches: [
      {
        file: BATCH,
        find: 'if (culprit === undefined) {',
        put: 'culprit ??= call.ready[0]?.delivered; if (culprit === undefined) {',
      },
    ],
    set: 'base',
    within: 200,
    breaks: 'P5 innocent',
  },
  'batch-effects-dropped': {
    what: 'what came before a named record is settled without the effects that the call gave for it',
    patches: [
      {
        file: BATCH,
        find: 'return isBare || call.ready.length === 1 ? record : undefined;',
        put: 'return record;',
      },
    ],
    set: 'base',
    within: 300,
    breaks: 'P5 innocent',
  },
  'refused-effects-settled': {
    what: 'a record counts as settled though its transaction was refused',
    patches: [
      {
        file: SESSION,
        find: "if (written.type === 'written' && settlings.length > 0)",
        put: 'if (settlings.length > 0)',
      },
    ],
    set: 'wide',
    within: 100,
    breaks: 'P1 no loss',
  },
  'passed-on-after-settling': {
    what: 'a record is settled before what it passed on is acknowledged',
    patches: [
      {
        file: CONSEQUENCES,
        find: 'const passed = await passOn(this.#run, outgoing);',
        put: "void passOn(this.#run, outgoing); const passed: import('./effects.ts').PassedOn = { type: 'acknowledged' };",
      },
    ],
    set: 'base',
    within: 100,
    breaks: 'P1 no loss',
  },
} as const satisfies Readonly<Record<string, Bug>>;
