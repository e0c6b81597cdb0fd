import { setTimeout as pause } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import type { DeployedConsumer } from '../../infra/local/deployed.ts';
import type { HistoryFile } from './history-file.ts';

/** How long nothing may happen before a run that is not through is given up as stuck. */
const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 500;
const SAY_EVERY_MS = 5_000;

export interface RunUnderWay {
  readonly admin: Admin;
  readonly consumer: DeployedConsumer;
  readonly history: HistoryFile;
  readonly records: number;
  readonly isOver: () => boolean;
  readonly onProgress: (line: string) => void;
}

/** Waits until the group has committed everything, nothing happens any more, or the run is over for another reason. */
export async function untilThrough(run: RunUnderWay): Promise<void> {
  const { admin, consumer, history, records, onProgress } = run;
  const { topic, consumerGroupId: groupId } = consumer.mapping;
  let sign = '';
  let signAt = Date.now();
  let saidAt = 0;
  while (Date.now() - signAt < PATIENCE_MS && !run.isOver()) {
    await history.read();
    const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] });
    const through = committed?.partitions.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0) ?? 0;
    if (through >= records) return;
    const now = `${through} ${history.events.length}`;
    if (now !== sign) {
      sign = now;
      signAt = Date.now();
    }
    if (signAt - saidAt >= SAY_EVERY_MS) {
      saidAt = signAt;
      onProgress(`${through} of ${records} committed`);
    }
    await pause(LOOK_EVERY_MS);
  }
}
