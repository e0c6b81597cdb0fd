import { type ConfirmOptions, confirm } from './confirm.ts';
import { type CommonOptions, EXIT, print, say } from './context.ts';
import type { Watching } from './target.ts';

/** How a plan is carried out. */
export interface Running extends Watching {
  /** The reason, where the ledger keeps one. */
  readonly why?: string;
  /** Hears what was reached so far. */
  readonly say?: (text: string) => void;
}

/** What a command will change: told first, then done. The commands and the console share it. */
export interface Plan<Answer = unknown> {
  /** What it will do, in sentences. */
  readonly says: readonly string[];
  /** There is nothing to do, so nobody is asked. */
  readonly isEmpty: boolean;
  /** The answer of a dry run. */
  readonly dry: unknown;
  /** Does it. What was done is not done again when the same command runs once more. */
  run(running: Running): Promise<Answer>;
  /** The end, in words. */
  text(answer: Answer): string;
  /** Whether nothing is left. */
  isDone(answer: Answer): boolean;
}

/** Options of every command that changes something. */
export interface CarryOutOptions extends CommonOptions, ConfirmOptions {
  readonly dryRun?: boolean;
  readonly why?: string;
}

/** Says what a plan will do, asks for confirmation, does it and prints the end. */
export async function carryOut<Answer>(
  command: string,
  options: CarryOutOptions,
  plan: Plan<Answer>,
  run: (running: Running) => Promise<Answer> = plan.run,
): Promise<void> {
  for (const line of plan.says) say(line);
  if (options.dryRun) return print(options, plan.dry, () => 'Nothing was changed.');
  if (!plan.isEmpty) await confirm(command, options);
  const answer = await run({ say, ...(options.why !== undefined && { why: options.why }) });
  if (!plan.isDone(answer)) process.exitCode = EXIT.failed;
  print(options, answer, plan.text);
}
