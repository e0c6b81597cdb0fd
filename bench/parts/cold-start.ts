import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundlePeer } from '../cold/bundled-peers.ts';
import { type ColdStart, coldStart } from '../cold/cold-start.ts';
import { type Loaded, loadedBytes } from '../cold/loaded-bytes.ts';
import { grantingDynamoDb } from '../dynamodb/granting-dynamodb.ts';
import { ordersEvent } from '../measure/orders-event.ts';
import { PEERS, type PeerName } from '../measure/peers.ts';
import { figure, median, withSpread } from '../report/statistics.ts';
import type { Part } from './part.ts';

const ONE_RECORD = { records: 1, partitions: 1, kind: 'fresh' } as const;

/** Bytes loaded before the first record is handled, and how long that takes under Lambda's own runtime client. */
export const coldStarts: Part = async ({ rounds, progress }) => {
  const root = mkdtempSync(join(tmpdir(), 'lockstep-bench-'));
  await using dynamoDb = await grantingDynamoDb();
  try {
    const event = ordersEvent(ONE_RECORD, 0);
    const folders = new Map<PeerName, string>();
    const loaded = new Map<PeerName, Loaded>();
    for (const name of PEERS) {
      progress(`cold start: bundling ${name}`);
      const folder = bundlePeer(name, root);
      folders.set(name, folder);
      loaded.set(name, await loadedBytes(folder, event, dynamoDb.endpoint));
    }
    const starts = new Map<PeerName, ColdStart[]>(PEERS.map((name) => [name, []]));
    for (let round = 0; round < rounds; round++) {
      progress(`cold start: round ${round + 1} of ${rounds}`);
      for (const [name, folder] of folders) starts.get(name)?.push(await coldStart(folder, event, dynamoDb.endpoint));
    }
    const firstAnswers = (name: PeerName) => starts.get(name)?.map(({ firstAnswerMs }) => firstAnswerMs) ?? [];
    return {
      title: 'Cold start and size',
      text: `Each bundled as the construct bundles ours (esbuild, ESM, minified, names kept, AWS SDK inside). Bytes: JavaScript that Node loaded from the bundle and the 400-byte harness until the first record was handled. Times: from the start of the process, under aws-lambda-ric, one record, against a DynamoDB on loopback that answers at once; ${rounds} rounds, the four taking turns. Median (10th–90th percentile); the last column compares round by round.`,
      tables: [
        {
          head: [
            '',
            'bytes loaded',
            'files',
            'ms to the first event',
            'ms to the first answer',
            'ms more than powertools',
          ],
          rows: PEERS.map((name) => [
            name,
            (loaded.get(name)?.bytes ?? 0).toLocaleString('en'),
            String(loaded.get(name)?.files),
            withSpread(starts.get(name)?.map(({ initMs }) => initMs) ?? []),
            withSpread(firstAnswers(name)),
            figure(median(firstAnswers(name).map((ms, round) => ms - (firstAnswers('powertools')[round] ?? 0)))),
          ]),
        },
      ],
    };
  } finally {
    rmSync(root, { recursive: true });
  }
};
