import { setTimeout as pause } from 'node:timers/promises';
import { functionWorkers, killWorker } from '../../infra/local/function-workers.ts';
import { assertNever } from '../../shared/assert-never.ts';
import type { StagedFault } from './faults.ts';
import { refuseRecords } from './letter-topic.ts';
import type { Slice, Stage } from './stage.ts';

/** Trouble of DynamoDB, a chance a request: always, and in a storm. */
export const USUAL_TROUBLE = 0.02;
const STORM_TROUBLE = 0.4;
const STORM_MS = 3_000;
/** A fault that waits for something in its slice waits no longer; then it did not happen, and is not counted. */
const MOST_MS = 60_000;
const LOOK_EVERY_MS = 20;

/** Lets a slice of the records go through with one fault in the middle of it. */
export async function conduct(fault: StagedFault, slice: Slice, stage: Stage): Promise<void> {
  const { counts, random, broker, eventSource } = stage;
  switch (fault) {
    case 'killed':
      await underWay(slice, stage);
      await pause(random.between(0, 150));
      if ((await killWorkers(stage)) > 0) counts.killed += 1;
      return;
    case 'killedBeforeLetter': {
      const end = await refuseRecords(stage.admin, stage.letterTopic, 'tooFewReplicas');
      try {
        const isDue = letterDue(slice, stage);
        await slice.produce();
        if (!(await isDue)) return;
        await pause(random.between(50, 400));
        if ((await killWorkers(stage)) > 0) counts.killedBeforeLetter += 1;
      } finally {
        await end();
      }
      return;
    }
    case 'killedAfterLetter': {
      const before = await letterCount(stage);
      await underWay(slice, stage, 0);
      // Known beforehand: asking takes longer than the moment lasts.
      const workers = await functionWorkers(stage.cloud, stage.consumer.function);
      if (!(await until(async () => (await letterCount(stage)) > before))) return;
      if (kill(workers, stage) > 0) counts.killedAfterLetter += 1;
      return;
    }
    case 'brokerStopped':
    case 'brokerKilled':
      await underWay(slice, stage);
      await broker.stopBroker(fault === 'brokerKilled' ? 'killed' : 'gracefully');
      await broker.startBroker();
      counts[fault] += 1;
      return;
    case 'pollerJoined':
      await underWay(slice, stage);
      await eventSource.addPoller(stage.consumer.mapping.uuid);
      counts.pollerJoined += 1;
      return;
    case 'pollerLeft':
    case 'pollerVanished':
      if (eventSource.pollers() < 2) await eventSource.addPoller();
      await underWay(slice, stage);
      await eventSource.removePoller(undefined, fault === 'pollerLeft' ? 'drained' : 'abruptly');
      counts[fault] += 1;
      return;
    case 'storm':
      stage.trouble = STORM_TROUBLE;
      await underWay(slice, stage, 0.6);
      await pause(STORM_MS);
      stage.trouble = USUAL_TROUBLE;
      counts.storm += 1;
      return;
    case 'lateWrite': {
      await underWay(slice, stage, 0.2);
      const late = await stage.proxy.holdWrite(MOST_MS, async () => void (await killWorkers(stage)));
      if (late?.wasOvertaken) counts.lateWrite += 1;
      return;
    }
    case 'lettersRefused':
    case 'lettersTooLarge': {
      const how = fault === 'lettersRefused' ? 'tooFewReplicas' : 'tooLarge';
      const end = await refuseRecords(stage.admin, stage.letterTopic, how);
      try {
        const isDue = letterDue(slice, stage);
        await slice.produce();
        if (!(await isDue)) return;
        await pause(1_500);
        counts[fault] += 1;
      } finally {
        await end();
      }
      return;
    }
    default:
      return assertNever(fault);
  }
}

/** Produces the slice and waits until a part of it is handled. */
async function underWay(slice: Slice, stage: Stage, part = stage.random.between(10, 50) / 100): Promise<void> {
  const before = stage.history.handled();
  await slice.produce();
  await until(async () => {
    await stage.history.read();
    return stage.history.handled() >= before + Math.ceil(part * slice.records.length);
  });
}

/** Waits until the handler has seen a record of the slice that it refuses: a letter follows. */
async function letterDue({ records }: Slice, { history }: Stage): Promise<boolean> {
  const refused = new Set(
    records.filter(({ does }) => does === 'refuse').map(({ partition, offset }) => `${partition}@${offset}`),
  );
  await history.read();
  let seen = history.events.length;
  return until(async () => {
    await history.read();
    const fresh = history.events.slice(seen);
    seen = history.events.length;
    return fresh.some(({ partition, offset }) => refused.has(`${partition}@${offset}`));
  });
}

async function letterCount({ admin, letterTopic }: Stage): Promise<number> {
  const offsets = await admin.fetchTopicOffsets(letterTopic);
  return offsets.reduce((sum, { high }) => sum + Number(high), 0);
}

async function killWorkers(stage: Stage): Promise<number> {
  return kill(await functionWorkers(stage.cloud, stage.consumer.function), stage);
}

function kill(workers: readonly number[], { counts }: Stage): number {
  const killed = workers.filter(killWorker).length;
  counts.workersKilled += killed;
  return killed;
}

async function until(isSo: () => Promise<boolean>): Promise<boolean> {
  const deadline = Date.now() + MOST_MS;
  while (Date.now() < deadline) {
    if (await isSo()) return true;
    await pause(LOOK_EVERY_MS);
  }
  return false;
}
