import { createInterface } from 'node:readline/promises';
import { OperatorError } from '../shared/operator-errors.ts';
import { say } from './context.ts';

/** Options of a command that asks for confirmation. */
export interface ConfirmOptions {
  readonly yes?: boolean;
}

/**
 * Asks whether to go on, after the command has said what it will do. With `--yes` it does not ask. Without a terminal the
 * answer is no.
 *
 * @throws LockstepError OPERATION_REFUSED
 */
export async function confirm(command: string, { yes = false }: ConfirmOptions): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) {
    say('This is not a terminal, so the command cannot ask. Add --yes to go on without a question.');
    throw new OperatorError('OPERATION_REFUSED', `${command} was not confirmed`);
  }
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await asking.question(`Go on? Type \`yes\`: `).catch(() => '');
  asking.close();
  if (!['y', 'yes'].includes(answer.trim().toLowerCase()))
    throw new OperatorError('OPERATION_REFUSED', `${command} was not confirmed`);
}
