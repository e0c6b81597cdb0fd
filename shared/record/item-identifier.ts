import { hash } from 'node:crypto';
import type { Offset } from './units.ts';

/** A partition of a topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A place in a Kafka cluster. */
export interface Position extends TopicPartition {
  readonly offset: Offset;
}

/** A partition as one consumer group of one cluster sees it. Each has one ledger item. */
export interface LedgerPartition extends TopicPartition {
  /** The cluster's uuid: another cluster has other records at the same offsets. */
  readonly cluster: string;
  readonly group: string;
  /** Hash of a key: the item of that key, parked, which is a small partition of its own. Its offsets are the ordinals of what waits. */
  readonly parkedKey?: string;
}

/** `orders-3`: how Kafka and Lambda name a partition. Topic names may contain dashes; the last one separates. */
export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}

/** Reads {@link partitionName} back; `undefined` for anything else. */
export function parsePartitionName(name: string): TopicPartition | undefined {
  const dash = name.lastIndexOf('-');
  const digits = name.slice(dash + 1);
  if (dash < 1 || !/^\d+$/.test(digits)) return undefined;
  return { topic: name.slice(0, dash), partition: Number(digits) };
}

/** `orders-3@1042`: how we name a record, in the ledger, in logs and in errors. */
export function positionName({ topic, partition, offset }: Position): string {
  return `${topic}-${partition}@${offset}`;
}

/** Reads {@link positionName} back; `undefined` for anything else. */
export function parsePositionName(name: string): Position | undefined {
  const at = name.lastIndexOf('@');
  const place = parsePartitionName(name.slice(0, at));
  const digits = name.slice(at + 1);
  if (place === undefined || !/^\d+$/.test(digits)) return undefined;
  return { ...place, offset: Number(digits) };
}

/**
 * `partition#<cluster>#<group>#<topic>#<partition>`: the ledger's key of a partition item. Kafka names hold no `#`. Of a parked
 * key it is `parked#…#<hash of the key>`.
 */
export function ledgerKey({ cluster, group, topic, partition, parkedKey }: LedgerPartition): string {
  const place = `${cluster}#${group}#${topic}#${partition}`;
  return parkedKey === undefined ? `partition#${place}` : `parked#${place}#${parkedKey}`;
}

/** The ledger's key of the item that names all parked keys of a partition. */
export function parkedKeysKey({ cluster, group, topic, partition }: LedgerPartition): string {
  return `parked#${cluster}#${group}#${topic}#${partition}`;
}

/** Names a key in the ledger, whatever its bytes are. */
export function parkedKeyOf(key: Uint8Array): string {
  return hash('sha256', key, 'base64url');
}

/** The ledger's key of the stack's secret. All consumers that share a table share the secret. */
export const STACK_SECRET_KEY = 'secret#signing';

/** Reads {@link ledgerKey} back; `undefined` for anything else. */
export function parseLedgerKey(key: string): LedgerPartition | undefined {
  const [kind, cluster, group, topic, partition, parkedKey, ...rest] = key.split('#');
  if (!cluster || !group || !topic || !partition || rest.length > 0 || !/^\d+$/.test(partition)) return undefined;
  const place = { cluster, group, topic, partition: Number(partition) };
  if (kind === 'partition' && parkedKey === undefined) return place;
  return kind === 'parked' && parkedKey ? { ...place, parkedKey } : undefined;
}

/**
 * The uuid in an MSK cluster ARN (`arn:aws:kafka:<region>:<account>:cluster/<name>/<uuid>`). Any other text is returned whole:
 * a self-managed cluster has no such ARN.
 */
export function clusterUuid(clusterArn: string): string {
  return (
    /^arn:[^:]+:kafka:[^:]*:[^:]*:(?:cluster|vpc-connection)\/(?:[^/]+\/)*([^/]+)$/.exec(clusterArn)?.[1] ?? clusterArn
  );
}
