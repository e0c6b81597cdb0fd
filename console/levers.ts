import * as v from 'valibot';
import { planChange } from '../cli/change.ts';
import { oneConsumer } from '../cli/consumer.ts';
import { planDrop } from '../cli/drop.ts';
import { partitionNamed, recordNamed } from '../cli/named.ts';
import { chosenKeys, parkedKeysOf, textOf } from '../cli/parked-keys.ts';
import { planPause, planResume } from '../cli/pause.ts';
import type { Plan } from '../cli/plan.ts';
import { planPurge } from '../cli/purge.ts';
import { planRedrive } from '../cli/redrive.ts';
import { planRelease } from '../cli/release.ts';
import { planReplay } from '../cli/replay.ts';
import { commandTargetOf } from '../cli/status.ts';
import type { Target } from '../cli/target.ts';
import { visible } from '../cli/visible.ts';
import { OperatorError } from '../shared/operator-errors.ts';
import { shellWord } from './shell-word.ts';

/** Seconds that a pause or a resume waits for what is in flight, as the command does. */
const PATIENCE_SECONDS = 900;

const consumer = v.pipe(v.string(), v.minLength(1), v.maxLength(512));
const text = v.pipe(v.string(), v.minLength(1), v.maxLength(4_096));
const force = v.exactOptional(v.boolean());
const letters = { fingerprint: v.exactOptional(text), id: v.exactOptional(text) };

const Order = v.variant('lever', [
  v.strictObject({ lever: v.literal('redrive'), consumer, ...letters, includeDoubtful: v.exactOptional(v.boolean()) }),
  v.strictObject({ lever: v.literal('purge'), consumer, ...letters }),
  v.strictObject({
    lever: v.literal('release'),
    consumer,
    sequence: v.exactOptional(text),
    all: v.exactOptional(v.boolean()),
  }),
  v.strictObject({ lever: v.literal('drop'), consumer, sequence: text, missing: v.exactOptional(v.boolean()) }),
  v.strictObject({ lever: v.literal('skip'), consumer, record: text, force }),
  v.strictObject({
    lever: v.literal('reset'),
    consumer,
    partition: text,
    as: v.picklist(['forget', 'skip', 'run', 'breaker']),
    force,
  }),
  v.strictObject({ lever: v.literal('pause'), consumer }),
  v.strictObject({ lever: v.literal('resume'), consumer, partition: v.exactOptional(text), force }),
  v.strictObject({ lever: v.literal('replay'), consumer, range: text }),
]);

/** A change that a page asks for. */
export type LeverOrder = v.InferOutput<typeof Order>;

/** A change as it is told: what it does, its equal command, and what must be given before it runs. */
export interface Told {
  readonly plan: Plan;
  readonly command: string;
  readonly needsWhy: boolean;
  readonly typed?: string;
}

/** @throws LockstepError OPERATOR_REQUEST_INVALID naming the field */
export function readOrder(body: unknown): LeverOrder {
  const parsed = v.safeParse(Order, body);
  if (parsed.success) return parsed.output;
  const fields = parsed.issues.map((issue) => v.getDotPath(issue) ?? 'order').join(', ');
  throw new OperatorError('OPERATOR_REQUEST_INVALID', `expected an order of the console; wrong: ${fields}`);
}

/** The plan that the command of the same name makes. @throws LockstepError as the command does */
export async function tell(
  target: Target,
  { local = false }: { readonly local?: boolean },
  order: LeverOrder,
): Promise<Told> {
  const { name, stack } = oneConsumer(target.consumers, order.consumer);
  const where = commandTargetOf({ local }, { consumer: name, stack });
  const command = (...words: readonly (string | false | undefined)[]) =>
    ['npx', 'lockstep', ...words.flatMap((word) => (word ? [shellWord(word)] : [])), where].join(' ');
  const option = (flag: string, value: string | undefined) => (value === undefined ? [] : [flag, value]);
  const made = async <A>(plan: Plan<A> | Promise<Plan<A>>, line: string, more: Partial<Told> = {}): Promise<Told> => ({
    plan: (await plan) as Plan,
    command: line,
    needsWhy: false,
    ...more,
  });
  switch (order.lever) {
    case 'redrive': {
      const { fingerprint, id, includeDoubtful = false } = order;
      const words = [
        ...option('--fingerprint', fingerprint),
        ...option('--id', id),
        includeDoubtful && '--include-doubtful',
      ];
      return made(planRedrive(target, order), command('redrive', ...words));
    }
    case 'purge': {
      const words = [...option('--fingerprint', order.fingerprint), ...option('--id', order.id)];
      return made(planPurge(target, order), command('purge', ...words), { typed: name });
    }
    case 'release':
      return made(
        planRelease(target, order),
        command('release', ...option('--sequence', order.sequence), order.all && '--all'),
      );
    case 'drop': {
      const of = oneConsumer(target.consumers, order.consumer);
      const [found] = chosenKeys(await parkedKeysOf(target, of), order);
      const words = ['--sequence', order.sequence, order.missing && '--missing'];
      return made(planDrop(target, order), command('drop', ...words), {
        needsWhy: true,
        typed: found === undefined ? name : visible(textOf(found.item)),
      });
    }
    case 'skip': {
      const position = recordNamed(order.record);
      const plan = planChange(target, order, position, { type: 'skip', offset: position.offset });
      return made(plan, command('skip', order.record, order.force && '--force'), {
        needsWhy: true,
        typed: order.record,
      });
    }
    case 'reset': {
      const type = (
        { forget: 'reset', skip: 'acceptAsDuplicates', run: 'acceptToRun', breaker: 'closeBreaker' } as const
      )[order.as];
      const words = [order.partition, order.as !== 'forget' && `--${order.as}`, order.force && '--force'];
      return made(planChange(target, order, partitionNamed(order.partition), { type }), command('reset', ...words), {
        needsWhy: true,
        // Whoever closes the breaker or runs records again gives nothing up.
        ...((order.as === 'forget' || order.as === 'skip') && { typed: order.partition }),
      });
    }
    case 'pause':
      return made(planPause(target, { consumer: order.consumer, timeout: PATIENCE_SECONDS }), command('pause'));
    case 'resume': {
      if (order.partition === undefined)
        return made(planResume(target, { consumer: order.consumer, timeout: PATIENCE_SECONDS }), command('resume'));
      const words = ['--partition', order.partition, order.force && '--force'];
      const plan = planChange(target, order, partitionNamed(order.partition), { type: 'liftPause' });
      return made(plan, command('resume', ...words), { needsWhy: true });
    }
    case 'replay':
      return made(planReplay(target, order, order.range), command('replay', order.range));
  }
}
