import { dynamoDbLedgerRepair } from '../shared/adapters/dynamodb/dynamodb-ledger-repair.ts';
import { systemClock } from '../shared/adapters/system/system-clock.ts';
import { systemEntropy } from '../shared/adapters/system/system-entropy.ts';
import type { OperatorChange } from '../shared/decide/operator.ts';
import { changePartition, decisionAction, previewChange } from '../shared/operator/change-partition.ts';
import { previewRepair, repairPartition } from '../shared/operator/repair-partition.ts';
import { OperatorError } from '../shared/operator-errors.ts';
import { partitionName, type TopicPartition } from '../shared/record/item-identifier.ts';
import { type ConfirmOptions, confirm } from './confirm.ts';
import { consumerOfTopic } from './consumer.ts';
import { ledgerOf } from './consumer-state.ts';
import { type CommonOptions, openTarget, print, say } from './context.ts';

/** Options of every command that changes a partition of the ledger. */
export interface ChangeOptions extends CommonOptions, ConfirmOptions {
  readonly why?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

/** Says what a change will do, asks for confirmation, and makes the change under a claim of its own. */
export async function change(options: ChangeOptions, named: TopicPartition, wanted: OperatorChange): Promise<void> {
  await using target = await openTarget(options);
  const consumer = consumerOfTopic(target.consumers, options.consumer, named.topic);
  const { cluster, group, topic, ledgerTable } = consumer;
  const place = { cluster, group, topic, partition: named.partition };
  const name = partitionName(place);
  const ports = {
    ledger: ledgerOf(target, consumer),
    repair: dynamoDbLedgerRepair({ client: target.dynamodb, table: ledgerTable }),
    clock: systemClock,
    entropy: systemEntropy,
    record: decisionAction.bind(null, ledgerTable),
  };
  const broken = wanted.type === 'reset' ? await ports.repair.look(place) : undefined;
  const { decided, heldUntil } =
    broken === undefined
      ? await previewChange({ partition: place, change: wanted }, ports)
      : previewRepair(broken, systemClock.now());
  if (decided.type === 'refused')
    throw new OperatorError('OPERATION_REFUSED', `${wanted.type} of ${name}: ${decided.why}`);
  say(`${name} of ${consumer.name}, group ${group}: ${decided.text}.`);
  if (options.dryRun)
    return print(options, { changed: false, partition: name, text: decided.text }, () => 'Nothing was changed.');
  if (heldUntil !== undefined && options.force)
    say('An invocation holds the partition. --force takes the partition away from it.');
  await confirm(wanted.type, options);
  const decision = {
    partition: place,
    change: wanted,
    who: await target.who(),
    why: options.why ?? '',
    force: options.force ?? false,
  };
  const text = await (broken === undefined
    ? changePartition(decision, ports)
    : repairPartition(decision, broken, ports));
  print(options, { changed: true, partition: name, text }, () => 'Done.');
}
