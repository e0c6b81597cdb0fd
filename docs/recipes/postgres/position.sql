CREATE TABLE IF NOT EXISTS lockstep_position (
  consumer         text    NOT NULL,
  topic            text    NOT NULL,
  partition        integer NOT NULL,
  epoch            bigint  NOT NULL,
  settled_offset   bigint  NOT NULL,
  newest_timestamp bigint  NOT NULL,
  PRIMARY KEY (consumer, topic, partition)
);
