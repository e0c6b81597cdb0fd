import type { Bug } from './bugs.ts';

const CALL = 'shared/runtime/call-handler.ts';
const COMMIT = 'shared/runtime/commit.ts';
const CONCLUDE = 'shared/runtime/conclude.ts';
const LEASE = 'shared/runtime/lease.ts';

/** Deliberate bugs in bulk handlers, in effects of the ledger's transaction and in what is passed on. */
export const PATTERN_BUGS = {
  'batch-failure-settles-its-record': {
    what: 'the record that a BatchFailure names is settled with those before it',
    patches: [
      {
        file: CONCLUDE,
        find: 'delivered: delivered.filter(isBefore),',
        put: 'delivered: delivered.filter(({ offset }) => offset <= limit),',
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
        file: CONCLUDE,
        find: 'delivered: delivered.filter(isBefore),',
        put: 'delivered: delivered.filter(({ offset }) => offset !== limit),',
      },
    ],
    set: 'base',
    within: 100,
    breaks: 'P1 no loss',
  },
  'failure-counts-for-first': {
    what: 'a call that fails without naming a record counts for its first record',
    patches: [
      {
        file: CONCLUDE,
        find: 'return end.record === undefined ? tryOneByOne(run, end) : failAt(run, end, end.record);',
        put: 'return failAt(run, end, end.record ?? first);',
      },
    ],
    set: 'base',
    within: 200,
    from: 70,
    breaks: 'P5 innocent',
  },
  'batch-effects-dropped': {
    what: 'what came before a named record is settled without the effects that the call gave for it',
    patches: [
      {
        file: CALL,
        find: 'const record = context.isBare || delivered.length === 1 ? named : undefined;',
        put: 'const record = named;',
      },
    ],
    set: 'base',
    within: 300,
    from: 70,
    breaks: 'P5 innocent',
  },
  'refused-effects-settled': {
    what: 'a record counts as settled though its transaction was refused',
    patches: [
      {
        file: LEASE,
        find: "if (written.type !== 'written') return written;",
        put: "if (written.type === 'lost') return written;",
      },
    ],
    set: 'wide',
    within: 100,
    from: 6,
    breaks: 'P1 no loss',
  },
  'passed-on-after-settling': {
    what: 'a record is settled before what it passed on is acknowledged',
    patches: [
      {
        file: COMMIT,
        find: 'const unproduced = outgoing.length === 0 ? undefined : await produce(run, call, outgoing);',
        put: 'if (outgoing.length > 0) void produce(run, call, outgoing); const unproduced = undefined;',
      },
    ],
    set: 'base',
    within: 100,
    breaks: 'P1 no loss',
  },
} as const satisfies Readonly<Record<string, Bug>>;
