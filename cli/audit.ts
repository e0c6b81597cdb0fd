import { readFile } from 'node:fs/promises';
import { styleText } from 'node:util';
import { Command } from 'commander';
import * as v from 'valibot';
import type { LetterLine } from '../shared/operator/answers.ts';
import { OperatorError } from '../shared/operator-errors.ts';
import { alarmStates } from './alarm-states.ts';
import { chosen, type DeployedConsumer } from './consumer.ts';
import { consumerState } from './consumer-state.ts';
import { type CommonOptions, EXIT, openTarget, optionsOf, print } from './context.ts';
import { example } from './example.ts';
import { type AuditedConsumer, type FindingCode, judgeConsumer } from './judge-consumer.ts';
import { someText } from './numbers.ts';
import type { Target } from './target.ts';
import { counted } from './words.ts';

/** Open dead letters that are compared with the ledger; the first ones, in their original order. */
const LETTERS_AT_MOST = 10_000;

const count = v.optional(v.number());
const Earlier = v.object({
  consumers: v.array(
    v.object({
      consumer: v.string(),
      findings: v.optional(v.any(), []),
      partitions: v.array(v.object({ partition: v.number(), epoch: count, settledTo: count })),
      queued: v.number(),
    }),
  ),
});

export const audit = new Command('audit')
  .description(
    'Judges the present state of each consumer by what must hold at any time: nothing stands still, no record is settled and waits, no dead letter without a mark, no mapping that loses records, no alarm switched off. Changes nothing. For cron.',
  )
  .option(
    '--since <file>',
    'the --json of an earlier audit: no epoch may have fallen, no queue may wait still',
    someText,
  )
  .addHelpText(
    'after',
    example('lockstep audit --stack Prod --json > audit.json', 'lockstep audit --stack Prod --since audit.json'),
  )
  .action(async (_, command: Command) => {
    const options = optionsOf<CommonOptions & { since?: string }>(command);
    const before = options.since === undefined ? [] : await earlier(options.since);
    await using target = await openTarget(options);
    const consumers: AuditedConsumer[] = [];
    for (const one of chosen(target.consumers, options.consumer)) {
      consumers.push(
        await look(
          target,
          one,
          before.find(({ consumer }) => consumer === one.name),
        ),
      );
    }
    if (consumers.some(({ findings }) => findings.length > 0)) process.exitCode = EXIT.failed;
    print(options, { at: new Date().toISOString(), consumers }, (found) => found.consumers.map(describe).join('\n\n'));
  });

async function earlier(file: string): Promise<AuditedConsumer[]> {
  try {
    return v.parse(Earlier, JSON.parse(await readFile(file, 'utf8'))).consumers as AuditedConsumer[];
  } catch (cause) {
    throw new OperatorError('COMMAND_LINE_INVALID', `--since: ${file} is not what \`lockstep audit --json\` prints`, {
      cause,
    });
  }
}

/** Dead letters first: what is settled meanwhile is no fault. */
async function look(target: Target, consumer: DeployedConsumer, before?: AuditedConsumer): Promise<AuditedConsumer> {
  const letters: LetterLine[] = [];
  const order = { filter: {}, limit: LETTERS_AT_MOST };
  for await (const page of target.letterPages(consumer, order)) letters.push(...page.letters);
  const now = Date.now();
  const state = await consumerState(target, consumer, now, 0, false);
  const alarms = await alarmStates(target, consumer);
  return judgeConsumer({ consumer, ...state, alarms, letters, now }, before);
}

const REMEDY: Readonly<Record<FindingCode, string>> = {
  'stands-still': '`lockstep status` shows why, docs/runbook.md what to do',
  'not-redelivered':
    'the relay writes a dead letter for it; if none comes, is the relay invoked? Else `lockstep replay` runs it again',
  'settled-and-pending': 'please open an issue with the output of --json; `lockstep blocked` shows the record',
  'letter-without-mark':
    'the topic was recreated, the ledger restored or reset, or somebody else wrote it. Compare the record before you redrive',
  'went-back':
    'the table was restored or changed by hand, unless an operator reset the partition. Records may run again',
  'mapping-differs': 'somebody changed it by hand: deploy again, or `lockstep pause` until then',
  'alarms-off': 'deploy again, or `aws cloudwatch enable-alarm-actions`',
  'queue-waits': 'read in the log of the relay why it cannot move them',
};

function describe({ consumer, findings, partitions }: AuditedConsumer): string {
  const name = styleText('bold', consumer);
  if (findings.length === 0)
    return `${name}  ${styleText('green', `● nothing found in ${counted(partitions.length, 'partition')}`)}`;
  const lines = findings.map(
    ({ code, place, says }) =>
      `  ${styleText('red', code)}${place === undefined ? '' : ` ${place}`}: ${says}.\n    ${REMEDY[code]}.`,
  );
  return [`${name}  ${styleText(['red', 'bold'], `✖ ${counted(findings.length, 'finding')}`)}`, ...lines].join('\n');
}
