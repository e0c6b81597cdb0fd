import { describeOffsets, type Verdict, verdictOfPause } from '../decide/claim.ts';
import type { EpochMs } from '../record/units.ts';
import type { NotAttemptedReason } from './outcome.ts';
import type { PartitionRun } from './partition-run.ts';

/** Why no record of a batch is attempted. */
export interface NoAttempt {
  readonly reason: NotAttemptedReason;
  readonly until?: EpochMs;
}

/** Acts on the verdict about the whole batch. `undefined`: the batch may run. */
export async function followVerdict<V>(
  { lease, ports, delivered, consumer, partition: place }: PartitionRun<V>,
  verdict: Verdict,
): Promise<NoAttempt | undefined> {
  switch (verdict.type) {
    case 'run':
      return undefined;
    case 'replayHalted':
      return { reason: 'replay', until: ports.clock.now() + consumer.policy.blockedAnswerDelayMs };
    case 'waiting':
      return { reason: 'missingRecord' };
    case 'paused':
      return { reason: 'paused', until: verdict.until };
    case 'abandon': {
      const { topic, partition } = delivered;
      const offsets = describeOffsets(verdict.offsets);
      try {
        await ports.fallback.send({ type: 'abandoned', partition: place, offsets: verdict.offsets });
      } catch (error) {
        ports.telemetry.log.error(
          'the fallback queue refused the offsets that Lambda lost; the partition still waits for them',
          {
            topic,
            partition,
            offsets,
            error,
          },
        );
        return { reason: 'missingRecord' };
      }
      ports.telemetry.count('RecordsNotRedelivered');
      ports.telemetry.log.error('records that Lambda did not deliver again were queued for the relay', {
        topic,
        partition,
        offsets,
      });
      lease.update(() => verdict.progress);
      const pause = verdictOfPause(verdict.progress, ports.clock.now());
      return pause.type === 'paused' ? { reason: 'paused', until: pause.until } : undefined;
    }
  }
}
