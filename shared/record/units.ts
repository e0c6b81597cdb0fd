/** Position of a record in its partition. Offsets grow, and have gaps: compaction, transaction markers. */
export type Offset = number;

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number;
