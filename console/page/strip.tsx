import type { PartitionView } from '../messages.ts';

/** A sign for each state, so that no colour is needed. */
export function signOf({ isStuck, state }: Pick<PartitionView, 'isStuck' | 'state'>): string {
  if (isStuck) return '✖';
  if (state === 'paused' || state === 'waiting' || state === 'blocked') return '‖';
  if (state === 'running') return '▸';
  return state === 'never claimed' ? '○' : '·';
}

function kindOf({ isStuck, state, lag }: PartitionView): string {
  if (isStuck) return 'stuck';
  if (state === 'paused' || state === 'waiting' || state === 'blocked') return 'held';
  if (state === 'never claimed') return 'unused';
  return lag > 0 ? 'behind' : 'well';
}

/** All partitions at a glance: a cell for each, those that are stuck with a cross. */
export function Strip({ partitions }: { readonly partitions: readonly PartitionView[] }) {
  const stuck = partitions.filter(({ isStuck }) => isStuck);
  const said = `${partitions.length} partitions, ${stuck.length} stuck${
    stuck.length > 0
      ? `: ${stuck
          .slice(0, 20)
          .map(({ partition }) => partition)
          .join(', ')}`
      : ''
  }`;
  return (
    <div class={partitions.length > 200 ? 'strip dense' : 'strip'} role="img" aria-label={said}>
      {partitions.map((one) => (
        <span key={one.partition} class={kindOf(one)} title={`${one.partition}: ${one.state}, ${one.lag} behind`}>
          {signOf(one)}
        </span>
      ))}
    </div>
  );
}
