import { LockstepError } from '../errors.ts';
import type { Ports } from './consumer.ts';

/** Two handlers never run on one partition: while one of an earlier invocation still runs, the process ends itself. @throws LockstepError SANDBOX_OCCUPIED */
export function refuseWhileOccupied({ sandbox, telemetry, endProcess }: Ports): void {
  if (sandbox.stalledHandlers === 0) return;
  const occupied = new LockstepError(
    'SANDBOX_OCCUPIED',
    'a record handler of an earlier invocation still runs in this process',
  );
  telemetry.log.error(occupied.message);
  endProcess();
  throw occupied;
}
