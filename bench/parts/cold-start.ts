import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from '../../infra/local/certificate.ts';
import { bundlePeer, bundlePeerInOneFile } from '../cold/bundled-peers.ts';
import { type ColdStart, coldStart } from '../cold/cold-start.ts';
import { type Loaded, loadedBytes } from '../cold/loaded-bytes.ts';
import { grantingDynamoDb } from '../dynamodb/granting-dynamodb.ts';
import { ordersEvent } from '../measure/orders-event.ts';
import { PEERS } from '../measure/peers.ts';
import { figure, median, withSpread } from '../report/statistics.ts';
import type { Part } from './part.ts';

const ONE_RECORD = { records: 1, partitions: 1, kind: 'fresh' } as const;

/** The bundling of Powertools' own example application, for users who do not bundle as we do. */
const IN_ONE_FILE = 'powertools, in one file';
const BUNDLES = [
  ...PEERS.map((name) => ({ words: name, bundle: (root: string) => bundlePeer(name, root) })),
  { words: IN_ONE_FILE, bundle: (root: string) => bundlePeerInOneFile('powertools', root) },
] as const;

interface Bundled {
  readonly words: string;
  readonly folder: string;
  readonly loaded: Loaded;
  readonly starts: ColdStart[];
}

/** Bytes loaded before the first record is handled, and how long that takes under Lambda's own runtime client. */
export const coldStarts: Part = async ({ rounds, progress }) => {
  const root = mkdtempSync(join(tmpdir(), 'lockstep-bench-'));
  const certificate = await makeCertificate(root);
  await using dynamoDb = await grantingDynamoDb(certificate);
  const variables = {
    AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.endpoint,
    NODE_EXTRA_CA_CERTS: certificate.certificateFile,
  };
  try {
    const event = ordersEvent(ONE_RECORD, 0);
    const bundled: Bundled[] = [];
    for (const { words, bundle } of BUNDLES) {
      progress(`cold start: bundling ${words}`);
      const folder = bundle(root);
      bundled.push({ words, folder, loaded: await loadedBytes(folder, event, variables), starts: [] });
    }
    for (let round = 0; round < rounds; round++) {
      progress(`cold start: round ${round + 1} of ${rounds}`);
      for (const { folder, starts } of bundled) starts.push(await coldStart(folder, event, variables));
    }
    const ours = bundled.find(({ words }) => words === 'lockstep')?.starts ?? [];
    return {
      title: 'Cold start and size',
      text: `Each is bundled as the construct bundles ours: with esbuild as ES modules, minified, names kept, the AWS SDK inside. What is loaded at the start is one file, and SDK packages that are loaded on demand are kept apart. The last one is bundled as Powertools' example application does it, by CDK's NodejsFunction: the same, but all in one file. Bytes: JavaScript that Node loaded from the bundle and the 400-byte harness until the first record was handled. Times: from the start of the process, under aws-lambda-ric, one record, against a DynamoDB on loopback that speaks TLS and answers at once; ${rounds} rounds, taking turns. Median (10th–90th percentile); the last column compares round by round.`,
      tables: [
        {
          head: [
            '',
            'bytes loaded',
            'files',
            'ms to the first event',
            'ms to the first answer',
            'ms more than lockstep',
          ],
          rows: bundled.map(({ words, loaded, starts }) => [
            words,
            loaded.bytes.toLocaleString('en'),
            String(loaded.files),
            withSpread(starts.map(({ initMs }) => initMs)),
            withSpread(starts.map(({ firstAnswerMs }) => firstAnswerMs)),
            figure(median(starts.map(({ firstAnswerMs }, round) => firstAnswerMs - (ours[round]?.firstAnswerMs ?? 0)))),
          ]),
        },
      ],
    };
  } finally {
    rmSync(root, { recursive: true });
  }
};
