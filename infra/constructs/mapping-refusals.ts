import { type Refusal, within } from './refusal.ts';

/** The mapping's own settings. */
export const MAPPING_REFUSALS = {
  LOCKSTEP_BATCH_SIZE_OUT_OF_RANGE: {
    property: 'batchSize',
    because: 'A batch size outside 1 to 10,000: CDK only warns, and CloudFormation fails during the deployment.',
    fix: 'Set `batchSize` to a whole number from 1 to 10,000',
    objection: ({ batchSize }) =>
      within(batchSize, 1, 10_000) ? undefined : `expected 1 to 10,000, got \`${batchSize}\``,
  },
  LOCKSTEP_WINDOW_OUT_OF_RANGE: {
    property: 'batchingWindow',
    because: 'A batching window that is not whole seconds from 0 to 300.',
    fix: 'Set `batchingWindow` to whole seconds from 0 to 300, or drop it for 500 ms',
    objection: ({ batchingWindowMs }) =>
      batchingWindowMs === undefined || (batchingWindowMs % 1000 === 0 && within(batchingWindowMs / 1000, 0, 300))
        ? undefined
        : `expected whole seconds from 0 to 300, got \`${batchingWindowMs}\` ms`,
  },
  LOCKSTEP_MAPPING_LOGS_ON_DEMAND: {
    property: 'mappingLogLevel',
    because: 'A log level of the mapping in on-demand mode: only the pollers of provisioned mappings write logs.',
    fix: "Drop `mode: 'on-demand'`, or drop `mappingLogLevel`",
    objection: ({ mode, mappingLogLevel }) =>
      mode === 'on-demand' && mappingLogLevel !== undefined ? 'it needs a provisioned mapping' : undefined,
  },
  LOCKSTEP_POLLERS_OUT_OF_RANGE: {
    property: 'pollers',
    because: 'Pollers outside 1–200 (minimum) or 1–2,000 (maximum), or a minimum above the maximum.',
    fix: 'Set `pollers: { minimum: 1–200, maximum: 1–2,000 }`, minimum not above maximum',
    objection: ({ pollers: { minimum, maximum } }) =>
      within(minimum, 1, 200) && within(maximum, 1, 2000) && minimum <= maximum
        ? undefined
        : `expected a minimum of 1 to 200 and a maximum of 1 to 2,000, not below it, got \`${minimum}\` and \`${maximum}\``,
  },
  LOCKSTEP_POLLERS_ABOVE_PARTITIONS: {
    property: 'pollers.maximum',
    because: 'More pollers than the topic has partitions: the others would do nothing, and count in the poller group.',
    fix: 'Lower `pollers.maximum`, or give the topic more partitions',
    objection: ({ pollers, source }) =>
      source.partitions !== undefined && pollers.maximum > source.partitions
        ? `${pollers.maximum} pollers cannot share the ${source.partitions} partitions of \`${source.topicName}\``
        : undefined,
  },
  LOCKSTEP_START_LOSES_RECORDS: {
    property: 'startFrom',
    because:
      "`startFrom: 'LATEST'`: records that are written while the mapping is created or updated (minutes) are never read.",
    fix: "Drop `startFrom`, or set it to a point in time: `startFrom: new Date('2026-11-21T00:00:00Z')`",
    objection: (s) =>
      s.startFrom === 'LATEST'
        ? 'with `LATEST`, records written while the mapping is made or updated are never read'
        : undefined,
  },
} as const satisfies Record<string, Refusal>;
