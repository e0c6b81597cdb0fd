import type { ConsumerPolicy, Ports } from './consumer.ts';
import type { Invocation } from './invocation.ts';
import { LateSignal } from './late-signal.ts';
import { Lease, type LeaseStart } from './lease.ts';
import type { ContextShare } from './record-context.ts';

/** A lease, and what the contexts of its handlers share. */
export interface OpenLease {
  readonly lease: Lease;
  readonly context: ContextShare;
  /** Ends the lease without another write. */
  readonly close: () => void;
}

/** Opens the lease of a claimed partition, or of a claimed parked key. Its handlers are told when it is lost, and when they should end. */
export function openLease(
  start: Omit<LeaseStart, 'invocation'>,
  { cluster, returned }: Pick<ContextShare, 'cluster' | 'returned'>,
  invocation: Invocation,
  ports: Ports,
  policy: ConsumerPolicy,
): OpenLease {
  const lease = new Lease({ ...start, invocation }, ports, policy);
  const aborted = new LateSignal();
  const forgetAbort = invocation.onAbort(() => aborted.abort());
  lease.lost.onAbort(() => aborted.abort());
  const context = {
    aborted,
    cluster,
    group: ports.group,
    epoch: lease.epoch,
    deadline: invocation.plan.deadline,
    log: ports.telemetry.log,
    requestId: invocation.requestId,
    returned,
  };
  const close = () => {
    forgetAbort();
    lease.close();
  };
  return { lease, context, close };
}
