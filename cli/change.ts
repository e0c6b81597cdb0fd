import { dynamoDbLedgerRepair } from '../shared/adapters/dynamodb/dynamodb-ledger-repair.ts';
import { systemClock } from '../shared/adapters/system/system-clock.ts';
import { systemEntropy } from '../shared/adapters/system/system-entropy.ts';
import type { OperatorChange } from '../shared/decide/operator.ts';
import { changePartition, decisionAction, previewChange } from '../shared/operator/change-partition.ts';
import { previewRepair, repairPartition } from '../shared/operator/repair-partition.ts';
import { OperatorError } from '../shared/operator-errors.ts';
import { partitionName, type TopicPartition } from '../shared/record/item-identifier.ts';
import { consumerOfTopic } from './consumer.ts';
import { ledgerOf } from './consumer-state.ts';
import { openTarget } from './context.ts';
import { type CarryOutOptions, carryOut, type Plan } from './plan.ts';
import type { Target } from './target.ts';

/** Options of every command that changes a partition of the ledger. */
export interface ChangeOptions extends CarryOutOptions {
  readonly force?: boolean;
}

interface Changed {
  readonly changed: boolean;
  readonly partition: string;
  readonly text: string;
}

/** Says what a change will do, asks for confirmation, and makes the change under a claim of its own. */
export async function change(options: ChangeOptions, named: TopicPartition, wanted: OperatorChange): Promise<void> {
  await using target = await openTarget(options);
  await carryOut(wanted.type, options, await planChange(target, options, named, wanted));
}

/** What a change of a partition would do. @throws LockstepError CONSUMER_UNKNOWN, OPERATION_REFUSED */
export async function planChange(
  target: Target,
  { consumer: consumerName, force = false }: Pick<ChangeOptions, 'consumer' | 'force'>,
  named: TopicPartition,
  wanted: OperatorChange,
): Promise<Plan<Changed>> {
  const consumer = consumerOfTopic(target.consumers, consumerName, named.topic);
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
  return {
    says: [
      `${name} of ${consumer.name}, group ${group}: ${decided.text}.`,
      ...(heldUntil !== undefined && force
        ? ['An invocation holds the partition. --force takes the partition away from it.']
        : []),
    ],
    isEmpty: false,
    dry: { changed: false, partition: name, text: decided.text },
    async run({ why = '' }) {
      const decision = { partition: place, change: wanted, who: await target.who(), why, force };
      const text = await (broken === undefined
        ? changePartition(decision, ports)
        : repairPartition(decision, broken, ports));
      return { changed: true, partition: name, text };
    },
    text: () => 'Done.',
    isDone: () => true,
  };
}
