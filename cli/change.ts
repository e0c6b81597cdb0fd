import { systemClock } from '../shared/adapters/system-clock.ts';
import { systemEntropy } from '../shared/adapters/system-entropy.ts';
import type { OperatorChange } from '../shared/decide/operator.ts';
import { LockstepError } from '../shared/errors.ts';
import { changePartition, decisionAction, previewChange } from '../shared/operator/change-partition.ts';
import { partitionName } from '../shared/record/item-identifier.ts';
import { theOne } from './consumer.ts';
import { ledgerOf } from './consumer-state.ts';
import { type CommonOptions, openTarget, print, say } from './context.ts';
import { whoAmI } from './who.ts';

/** Options of whatever changes a partition of the ledger. */
export interface ChangeOptions extends CommonOptions {
  readonly why?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

/** Says what a change will do, does it in a claim of its own, and says that it is done. */
export async function change(options: ChangeOptions, partition: number, wanted: OperatorChange): Promise<void> {
  await using target = await openTarget(options);
  const consumer = theOne(target.consumers, options.consumer);
  const { cluster, group, topic, ledgerTable } = consumer;
  const place = { cluster, group, topic, partition };
  const name = partitionName(place);
  const ports = {
    ledger: ledgerOf(target, consumer),
    clock: systemClock,
    entropy: systemEntropy,
    record: decisionAction.bind(null, ledgerTable),
  };
  const { decided, heldUntil } = await previewChange({ partition: place, change: wanted }, ports);
  if (decided.type === 'refused')
    throw new LockstepError('OPERATION_REFUSED', `${wanted.type} of ${name}: ${decided.why}`);
  say(`${name}, group ${group}: ${decided.text}.`);
  if (options.dryRun)
    return print(options, { changed: false, partition: name, text: decided.text }, () => 'Nothing was changed.');
  if (heldUntil !== undefined && options.force) say('An invocation holds the partition; it is taken away from it.');
  const decision = {
    partition: place,
    change: wanted,
    who: whoAmI(),
    why: options.why ?? '',
    force: options.force ?? false,
  };
  const text = await changePartition(decision, ports);
  print(options, { changed: true, partition: name, text }, () => 'Done.');
}
