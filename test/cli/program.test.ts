import { describe, expect, test } from 'vitest';
import { everyCommand, lockstep } from '../../cli/program.ts';

const commands = everyCommand(lockstep()).filter((command) => command.name() !== 'help');

/** What `--help` prints, with what is added behind it. */
function helpOf(command: (typeof commands)[number]): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

test('there is a command for each thing that an operator does', () => {
  expect(commands.map((command) => command.name())).toEqual([
    'lockstep',
    'init',
    'dev',
    'produce',
    'consume',
    'console',
    'status',
    'lag',
    'blocked',
    'dead-letters',
    'list',
    'groups',
    'show',
    'foreign',
    'redrive',
    'purge',
    'parked',
    'release',
    'drop',
    'skip',
    'reset',
    'pause',
    'resume',
    'replay',
    'reproduce',
    'audit',
    'verify',
  ]);
});

describe.each(commands.map((command) => [command.name(), command] as const))('%s', (_, command) => {
  test('has an example in its help', () => {
    expect(helpOf(command)).toMatch(/Examples:\n {2}\$ lockstep /);
  });

  test('has help that fits a hundred columns', () => {
    const wide = helpOf(command)
      .split('\n')
      .filter((line) => !line.startsWith('  $ '))
      .filter((line) => line.length > 100);
    expect(wide).toEqual([]);
  });

  test('says in a sentence what it does', () => {
    expect(command.description()).toMatch(/^[A-Z].{15,}\.$/);
  });
});
