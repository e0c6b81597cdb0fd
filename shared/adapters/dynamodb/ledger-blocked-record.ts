import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { BlockedRecord, ErrorSummary, ParkedPlace, RecordIdentity, Stage } from '../../decide/progress.ts';
import type { Offset } from '../../record/units.ts';
import {
  type Attributes,
  flag,
  map,
  maybeNumber,
  maybeText,
  number,
  optional,
  readFlag,
  readMap,
  readNumber,
  readText,
  text,
} from './ledger-attributes.ts';

/** A record's identity inside a map: `ts` timestamp, `hash`. */
export function identityFields({ timestamp, valueHash }: RecordIdentity) {
  return { ts: number(timestamp), hash: text(valueHash) };
}

/** Reads {@link identityFields} back. */
export function readIdentity(fields: Attributes, offset: Offset): RecordIdentity {
  return { offset, timestamp: readNumber(fields, 'ts'), valueHash: readText(fields, 'hash') };
}

/**
 * A blocked record, under its offset in the map `blockedRecords`: `ts`, `hash`, `key` hash, `att`empts, `int`erruptions (both absent for 0),
 * `exh`austed, `seq`uence and `ord`inal of a parked one, `rnd` rounds, `ff` first failed at, `nb` not before, `fp` fingerprint, `err` { `name`, `text`, `stage` }.
 */
export function encodeBlockedRecord(blocked: BlockedRecord): AttributeValue {
  const { keyHash, attempts, interruptions, exhausted, firstFailedAt, notBefore, fingerprint, error } = blocked;
  const { parked, rounds } = blocked;
  return map({
    ...identityFields(blocked),
    key: maybeText(keyHash),
    att: maybeNumber(attempts || undefined),
    int: maybeNumber(interruptions || undefined),
    exh: flag(exhausted),
    seq: maybeText(parked?.sequence),
    ord: maybeNumber(parked?.ordinal),
    rnd: maybeNumber(rounds),
    ff: maybeNumber(firstFailedAt),
    nb: maybeNumber(notBefore),
    fp: maybeText(fingerprint),
    err: error && map({ name: text(error.name), text: text(error.text), stage: text(error.stage) }),
  });
}

/** Reads {@link encodeBlockedRecord} back. @throws TypeError for anything else */
export function decodeBlockedRecord(fields: Attributes, offset: Offset): BlockedRecord {
  return {
    ...readIdentity(fields, offset),
    ...optional('keyHash', readText, fields, 'key'),
    attempts: fields['att'] === undefined ? 0 : readNumber(fields, 'att'),
    interruptions: fields['int'] === undefined ? 0 : readNumber(fields, 'int'),
    exhausted: readFlag(fields, 'exh'),
    ...optional('parked', readPlace, fields, 'seq'),
    ...optional('rounds', readNumber, fields, 'rnd'),
    ...optional('firstFailedAt', readNumber, fields, 'ff'),
    ...optional('notBefore', readNumber, fields, 'nb'),
    ...optional('fingerprint', readText, fields, 'fp'),
    ...optional('error', readError, fields, 'err'),
  };
}

function readPlace(fields: Attributes, name: string): ParkedPlace {
  return { sequence: readText(fields, name), ordinal: readNumber(fields, 'ord') };
}

const STAGES: readonly Stage[] = [
  'decode',
  'validate',
  'idempotency',
  'handler',
  'interrupted',
  'unattempted',
  'parked',
];

function readError(from: Attributes, name: string): ErrorSummary {
  const fields = readMap(from, name);
  const written = readText(fields, 'stage');
  const stage = STAGES.find((candidate) => candidate === written);
  if (stage === undefined) throw new TypeError(`expected the stage of an error to be one of ${STAGES}, got ${written}`);
  return { name: readText(fields, 'name'), text: readText(fields, 'text'), stage };
}
