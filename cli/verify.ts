import { Command } from 'commander';
import { oneConsumer } from './consumer.ts';
import { type CommonOptions, EXIT, openTarget, optionsOf, print } from './context.ts';
import { example } from './example.ts';
import type { Reading } from './judge-deliveries.ts';
import { seconds, wholeNumber } from './numbers.ts';
import { type ExperimentOptions, experiment, type Verified } from './verify-experiment.ts';

export const verify = new Command('verify')
  .description(
    'An experiment on a real account: which records Lambda delivers again after a partial answer, in which order and how fast, and whether a dead letter reaches its topic. Deploy its stack first: cdk deploy -c stage=verify.',
  )
  .option('--rounds <count>', 'how often the experiment is repeated', wholeNumber(1, 20), 3)
  .option('--timeout <seconds>', 'the longest time to wait for one round', seconds(1, 3_600), 300)
  .option('--quick', 'only partial answers')
  .addHelpText(
    'after',
    example('lockstep verify --stack Lockstep-Verify', 'lockstep verify --stack Lockstep-Verify --json > verify.json'),
  )
  .action(async (_, command: Command) => {
    const options = optionsOf<CommonOptions & ExperimentOptions>(command);
    await using target = await openTarget(options);
    const consumer = oneConsumer(target.consumers, options.consumer ?? 'Verify');
    const found = await experiment(target, consumer, options);
    const isWhole = options.quick || (found.deadLetterMs !== undefined && found.alarm !== 'silent');
    if (found.reading === undefined || !isWhole) process.exitCode = EXIT.failed;
    print(options, found, describe);
  });

const MEANS: Readonly<Record<Reading, string>> = {
  lowest: 'from the lowest reported record on, all come again',
  reported: 'only the reported records come again, before newer ones',
  batch: 'the whole event comes again',
  overtaken: 'newer records come before the reported ones',
};

function describe(verified: Verified): string {
  const { reading, rounds, isolation, notVerified } = verified;
  const pauses = rounds.flatMap(({ pausesMs }) => pausesMs);
  return [
    ...rounds.map(({ reading: found, evidence }, at) => `Round ${at + 1}: ${found ?? 'does not tell'}: ${evidence}.`),
    '',
    reading === undefined
      ? '✖ Partial answers: the rounds do not show one reading. Run the command again; --json keeps the evidence.'
      : `✔ Partial answers: ${reading}: ${MEANS[reading]}. Lockstep keeps order with it.`,
    ...(pauses.length > 0
      ? [`  Pause before a record comes again: ${Math.min(...pauses)} to ${Math.max(...pauses)} ms.`]
      : []),
    ...(isolation === undefined ? [] : describeRest(verified)),
    '',
    `Not verified: ${notVerified.join('; ')}.`,
    'Please attach the output of --json to an issue. Remove the stack: cdk destroy -c stage=verify.',
  ].join('\n');
}

function describeRest({ deadLetterMs, alarm, alarmMs, isolation, afterTimeout, afterRestart }: Verified): string[] {
  return [
    `✔ Transactions: records that were rolled back are ${isolation === 'committed' ? 'not ' : ''}delivered.`,
    `✔ After a timeout of the function: ${afterTimeout}.`,
    `✔ After the pollers were stopped and started: ${afterRestart}.`,
    deadLetterMs === undefined
      ? '✖ Dead letters: the refused record has none. `lockstep status` and the log of the function say why.'
      : `✔ Dead letters: a refused record had its own after ${deadLetterMs} ms; it is purged again.`,
    alarm === 'silent'
      ? '✖ Alarms: dead-letters did not ring. Does the namespace Lockstep have the metric RecordsDeadLettered?'
      : `✔ Alarms: dead-letters ${alarm === 'rang' ? `rang ${alarmMs} ms after the record was produced` : 'rang before; run the command again when it is over'}.`,
  ];
}
