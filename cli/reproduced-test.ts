import type { ExactRecord, OperatorAnswers } from '../shared/operator/answers.ts';
import { OperatorError } from '../shared/operator-errors.ts';
import { parsePositionName } from '../shared/record/item-identifier.ts';
import { importPath, type Project } from './project.ts';
import { visible } from './visible.ts';

/** What a test is made of. */
export interface Reproduction {
  readonly answer: OperatorAnswers['records'];
  /** The record and those before it, as they are to be written. */
  readonly records: readonly ExactRecord[];
  readonly masks: readonly string[];
  /** Of the consumer. */
  readonly consumer: string;
  readonly handler: string;
  readonly folder: string;
  /** ISO 8601, the day. */
  readonly today: string;
}

/** The files of a reproduction: its records, and a test that delivers them. */
export function reproductionFiles(
  project: Project,
  reproduction: Reproduction,
): { readonly recordsFile: string; readonly testFile: string; readonly texts: ReadonlyMap<string, string> } {
  const position = reproduction.records.at(-1)?.position ?? '';
  const name = position.replace('@', '-at-');
  // Kafka's topic names have no other characters. A file must not get its path from outside.
  if (!/^[\w.-]+$/.test(name)) throw new OperatorError('OPERATOR_FAILED', 'the answer names a topic that cannot be');
  const ending = project.isTyped ? 'ts' : 'mjs';
  const recordsFile = `${name}.records.${ending}`;
  const testFile = `${name}.test.${ending}`;
  const texts = new Map([
    [recordsFile, recordsText(project, reproduction)],
    [testFile, testText(project, reproduction, position, recordsFile)],
  ]);
  return { recordsFile, testFile, texts };
}

function recordsText({ isTyped }: Project, { answer, records, masks, consumer, today }: Reproduction): string {
  const about = [
    `Records of the consumer ${consumer}, read from Kafka by \`lockstep reproduce\` on ${today}.`,
    'Keys and values are base64, header bytes are signed, as Lambda delivers them.',
    masks.length === 0
      ? 'The bytes are exact: they may hold personal data.'
      : `Masked: ${masks.join(', ')}. All else is exact, but a value with a mask is written anew.`,
    ...(answer.takenFrom === undefined
      ? []
      : ['The topic does not hold the record any more: these are the bytes of its dead letter.']),
  ];
  const type = isTyped ? "import type { TestRecord } from 'lockstep/testing';\n\n" : '';
  const list = JSON.stringify(records.map(testRecord), undefined, 2);
  return `${type}${comment(about)}\nexport const records${isTyped ? ': TestRecord[]' : ''} = ${list};\n`;
}

/** As an event has it. */
function testRecord({ position, timestamp, key, value, headers }: ExactRecord): object {
  return {
    ...parsePositionName(position),
    timestamp,
    timestampType: 'CREATE_TIME',
    ...(key !== null && { key }),
    ...(value !== null && { value }),
    headers: headers.map((header) => ({ [header.name]: [...new Int8Array(Buffer.from(header.value, 'base64'))] })),
  };
}

function testText(
  project: Project,
  { answer: { cause }, consumer, handler, folder, today }: Reproduction,
  position: string,
  recordsFile: string,
): string {
  const { runner } = project;
  const about = [
    `Made by \`lockstep reproduce\` on ${today} for the consumer ${consumer}.`,
    ...(cause === undefined
      ? []
      : [`The dead letter is ${cause.id}, its error ${cause.errorName}, its fingerprint ${cause.fingerprint}.`]),
    'The handler reaches what it reaches in production: replace its tables and services as your other tests do.',
  ];
  const runnerImport = {
    vitest: "import { expect, test } from 'vitest';\n",
    jest: "import { expect, test } from '@jest/globals';\n",
    'node:test': "import assert from 'node:assert/strict';\nimport { test } from 'node:test';\n",
  }[runner];
  const key = quoted(position);
  const check =
    runner === 'node:test'
      ? `  assert.equal(outcomes[${key}], 'handled', why);`
      : `  expect([outcomes[${key}], why]).toEqual(['handled', undefined]);`;
  return `${runnerImport}import { deliver } from 'lockstep/testing';
import { handler } from ${quoted(importPath(folder, handler, project))};
import { records } from ${quoted(importPath(folder, `${folder}/${recordsFile}`, project))};

${comment(about)}
test(${quoted(`${position} is handled`)}, async () => {
  const { outcomes, deadLetters } = await deliver(handler, records);

  const letter = deadLetters.find(({ origin }) => origin.offset === ${parsePositionName(position)?.offset});
  const why = letter?.headers.find(({ name }) => name === 'x-error-message')?.value.toString();
${check}
});
`;
}

/** Ids and error names come from outside: on one line, and nothing of them ends the comment. */
function comment(lines: readonly string[]): string {
  return lines.map((line) => `// ${visible(line)}`).join('\n');
}

/** A text as code: names of topics and files may hold quotes. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&').replace(/[\n\r\u2028\u2029]/g, ' ')}'`;
}
