import { setTimeout as pause } from 'node:timers/promises';
import { type Admin, AssignerProtocol } from 'kafkajs';
import type { DeployedConsumer } from '../../infra/local/deployed.ts';
import type { Standstill } from './evidence.ts';
import type { HistoryFile } from './history-file.ts';

/** How long nothing may happen before a run that is not through is given up as stuck. */
const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 500;
const SAY_EVERY_MS = 5_000;

export interface RunUnderWay {
  readonly admin: Pick<Admin, 'fetchOffsets' | 'describeGroups'>;
  readonly consumer: { readonly mapping: Pick<DeployedConsumer['mapping'], 'topic' | 'consumerGroupId'> };
  readonly history: Pick<HistoryFile, 'read' | 'events'>;
  readonly records: number;
  readonly isOver: () => boolean;
  readonly onProgress: (line: string) => void;
  readonly pollers: () => number;
  /** @default 60,000 */
  readonly patienceMs?: number;
}

/**
 * Waits until the group has committed everything, or the run is over for another reason.
 *
 * @returns what it looks like where nothing happens any more
 */
export async function untilThrough(run: RunUnderWay): Promise<Standstill | undefined> {
  const { consumer, history, records, onProgress, patienceMs = PATIENCE_MS } = run;
  let sign = '';
  let signAt = Date.now();
  let saidAt = 0;
  while (!run.isOver()) {
    await history.read();
    const committed = await committedOffsets(run);
    const through = [...committed.values()].reduce((sum, offset) => sum + offset, 0);
    if (through >= records) return undefined;
    const now = `${through} ${history.events.length}`;
    if (now !== sign) {
      sign = now;
      signAt = Date.now();
    }
    const stoodMs = Date.now() - signAt;
    if (stoodMs >= patienceMs) {
      onProgress(`stuck: ${through} of ${records} committed by ${consumer.mapping.consumerGroupId}`);
      return standstill(run, committed, Math.round(stoodMs / 1_000));
    }
    if (signAt - saidAt >= SAY_EVERY_MS) {
      saidAt = signAt;
      onProgress(`${through} of ${records} committed`);
    }
    await pause(Math.min(LOOK_EVERY_MS, patienceMs));
  }
  return undefined;
}

async function committedOffsets({ admin, consumer }: RunUnderWay): Promise<Map<number, number>> {
  const { topic, consumerGroupId: groupId } = consumer.mapping;
  const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
  return new Map((found?.partitions ?? []).map(({ partition, offset }) => [partition, Math.max(0, Number(offset))]));
}

async function standstill(
  { admin, consumer, pollers }: RunUnderWay,
  committed: ReadonlyMap<number, number>,
  seconds: number,
): Promise<Standstill> {
  const { topic, consumerGroupId } = consumer.mapping;
  const { groups } = await admin.describeGroups([consumerGroupId]);
  const group = groups[0];
  const members = (group?.members ?? []).map(({ memberId, memberAssignment }) => ({
    id: memberId,
    partitions: AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment[topic] ?? [],
  }));
  return { seconds, committed, groupState: group?.state ?? 'unknown', members, pollers: pollers() };
}
