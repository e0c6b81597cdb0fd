import * as v from 'valibot';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const run = v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/, 'expected the name of a run'));

/** The transactional id of what is rolled back. */
export const VERIFY_TRANSACTIONS = 'lockstep-verify';

/** A record of an experiment. */
export const Probe = v.strictObject({
  /** The run that it belongs to. */
  run,
  /** Its number in the run: records are produced in this order, to one partition. */
  index: count,
  /** How many deliveries the function reports it as failed, and only it. */
  reports: v.optional(count),
  /** The handler refuses it for good: it is dead-lettered. */
  refused: v.optional(v.boolean()),
  /** The function runs into its timeout once, after the record was handled. */
  hangs: v.optional(v.boolean()),
});

export type Probe = v.InferOutput<typeof Probe>;

/** What `lockstep verify` asks of the function. */
export const ExperimentOrder = v.variant('verify', [
  v.strictObject({ verify: v.literal('produce'), probes: v.pipe(v.array(Probe), v.maxLength(1_000)) }),
  /** A record of a transaction that is rolled back. */
  v.strictObject({ verify: v.literal('abort'), probe: Probe }),
  /** From now on nothing of the run is reported. */
  v.strictObject({ verify: v.literal('relent'), run }),
  v.strictObject({ verify: v.literal('deliveries'), run }),
  v.strictObject({ verify: v.literal('forget'), run }),
]);

export type ExperimentOrder = v.InferOutput<typeof ExperimentOrder>;

/** One event with records of a run, as the function got it. Times are of the function's clock, in ms since 1970. */
export const Delivery = v.strictObject({
  startedAt: count,
  endedAt: count,
  /** Of the records, in the order of the event. None: this is no event, the run was told to relent. */
  indexes: v.array(count),
  /** The only record that the answer reported. Absent: the whole event was answered as done. */
  reported: v.optional(count),
  /** The function gave no answer: it ran into its timeout. */
  hung: v.optional(v.literal(true)),
});

export type Delivery = v.InferOutput<typeof Delivery>;
