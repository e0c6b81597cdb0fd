import { parseLetter } from '../decide/letter.ts';
import { recordBytes } from '../decide/record-size.ts';
import { positionName } from '../record/item-identifier.ts';
import { type LetterSource, readLetters } from '../redrive/read-letters.ts';
import type { ForeignRecord, OperatorAnswers } from './answers.ts';
import { timeOf } from './letter-lines.ts';

/** The most characters of the id that a record claims to have. */
const MOST_OF_AN_ID = 512;

/** The first records of the dead-letter topic that Lockstep did not write for this group, and how many there are. */
export async function listForeign(source: LetterSource, limit: number): Promise<OperatorAnswers['foreign']> {
  const records: ForeignRecord[] = [];
  let total = 0;
  await readLetters(source, {
    letter: () => undefined,
    marker: () => undefined,
    foreign: (record, claims) => {
      total++;
      if (records.length >= limit) return;
      const { partition, offset, timestamp } = record;
      records.push({
        position: positionName({ topic: source.deadLetterTopic, partition, offset }),
        claims,
        id: (parseLetter(record)?.id ?? '').slice(0, MOST_OF_AN_ID),
        timestamp: timeOf(timestamp),
        bytes: recordBytes(record),
      });
    },
  });
  return { records, total };
}
