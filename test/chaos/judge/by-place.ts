import type { Evidence } from '../evidence.ts';

interface Place {
  readonly partition: number;
  readonly offset: number;
}

/** A map by partition and offset. */
export function placeKey({ partition, offset }: Place): string {
  return `${partition}@${offset}`;
}

/** A record as findings name it: `chaos-lowest-3@1042`. */
export function nameOf({ topic }: Pick<Evidence, 'topic'>, { partition, offset }: Place): string {
  return `${topic}-${partition}@${offset}`;
}
