/** A connection: `pg.Client`, `pg.PoolClient` and PGlite all have this. */
export interface Sql {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
}

/** Where a record was: a ConsumerRecord has it. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
}

/** The partition's newer owner has been here: this process must not write any more. */
export class StaleEpoch extends Error {
  override readonly name = 'StaleEpoch';
}

/*
 * One row a partition. It moves on with the effect or not at all. The row is locked until the transaction ends, so that an old
 * owner and a new one take turns, and the old one loses. A lower offset with a timestamp newer than all before is no repetition
 * but a recreated topic: it applies.
 */
const ADVANCE = `
  INSERT INTO lockstep_position AS known (consumer, topic, partition, epoch, settled_offset, newest_timestamp)
  VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (consumer, topic, partition) DO UPDATE
    SET epoch = excluded.epoch,
        settled_offset = excluded.settled_offset,
        newest_timestamp = greatest(known.newest_timestamp, excluded.newest_timestamp)
    WHERE excluded.epoch >= known.epoch
      AND (excluded.settled_offset > known.settled_offset OR excluded.newest_timestamp > known.newest_timestamp)
  RETURNING epoch`;

const IS_STALE = `
  SELECT 1 FROM lockstep_position
  WHERE consumer = $1 AND topic = $2 AND partition = $3 AND epoch > $4`;

/**
 * Applies a record's effect exactly once: position, epoch and effect are one SQL transaction.
 *
 * @param consumer - the consumer's name: two consumers of one topic have rows of their own
 * @param epoch - `context.epoch`
 * @param effect - writes with the connection that it is given, and with no other
 * @returns `duplicate` where the effect was committed before
 * @throws StaleEpoch where a newer owner has written; nothing was changed then
 * @throws what `effect` throws; nothing was changed then
 */
export async function applyOnce(
  sql: Sql,
  consumer: string,
  { topic, partition, offset, timestamp }: Place,
  epoch: number,
  effect: (sql: Sql) => Promise<unknown>,
): Promise<'applied' | 'duplicate'> {
  await sql.query('BEGIN');
  try {
    const advanced = await sql.query(ADVANCE, [consumer, topic, partition, epoch, offset, timestamp]);
    if (advanced.rows.length === 0) {
      const stale = await sql.query(IS_STALE, [consumer, topic, partition, epoch]);
      if (stale.rows.length > 0) throw new StaleEpoch(`epoch ${epoch} of ${topic}-${partition} is not the newest`);
      await sql.query('ROLLBACK');
      return 'duplicate';
    }
    await effect(sql);
    await sql.query('COMMIT');
    return 'applied';
  } catch (error) {
    await sql.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
