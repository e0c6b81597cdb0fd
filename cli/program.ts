import { Command } from 'commander';
import { audit } from './audit.ts';
import { blocked } from './blocked.ts';
import { consoleCommand } from './console.ts';
import { consume } from './consume.ts';
import { WIDTH } from './context.ts';
import { deadLetters } from './dead-letters.ts';
import { dev } from './dev.ts';
import { drop } from './drop.ts';
import { example } from './example.ts';
import { init } from './init.ts';
import { lag } from './lag.ts';
import { someText } from './numbers.ts';
import { parked } from './parked.ts';
import { pause, resume } from './pause.ts';
import { produce } from './produce.ts';
import { purge } from './purge.ts';
import { redrive } from './redrive.ts';
import { release } from './release.ts';
import { replay } from './replay.ts';
import { reproduce } from './reproduce.ts';
import { reset } from './reset.ts';
import { skip } from './skip.ts';
import { status } from './status.ts';
import { verify } from './verify.ts';
import { version } from './version.ts';

/** The `lockstep` command. */
export function lockstep(): Command {
  const program = new Command('lockstep')
    .description('Shows the state of Lockstep consumers, redrives dead letters, and changes partitions.')
    .version(version(), '-V, --version', 'the version of this command')
    .option('--local', 'use the local cloud of `lockstep dev`')
    .option('--stack <name...>', 'the stacks on AWS with the consumers', everyText)
    .option('--consumer <name>', 'only this consumer, by the name that `status` shows', someText)
    .option('--json', 'print JSON, for scripts')
    .addHelpText(
      'after',
      example('lockstep status --local', 'lockstep dead-letters groups --stack Lockstep-Orders-prod --consumer Orders'),
    )
    .addHelpText('after', EXIT_CODES);
  const local = [init, dev, produce, consume];
  const commands = [...local, consoleCommand, status, lag, blocked, deadLetters, redrive, purge, parked, release, drop];
  for (const command of [...commands, skip, reset, pause, resume, replay, reproduce, audit, verify])
    program.addCommand(command);
  for (const command of everyCommand(program)) {
    command.configureHelp({ helpWidth: WIDTH, showGlobalOptions: true }).exitOverride();
  }
  return program;
}

/** A command and all its subcommands. */
export function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

/** The values of an option that may be given several times. */
function everyText(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), someText(text)];
}

const EXIT_CODES = `
Exit codes: 0 done; 1 failed, refused, stopped before its end (the same command goes on), or
something is stuck (status --fail-if-stuck) or found (audit); 2 wrong command line.
`;
