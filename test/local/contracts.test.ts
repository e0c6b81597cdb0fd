import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, inject } from 'vitest';
import { type DynamoDbLocal, startDynamoDbLocal } from '../../infra/local/dynamodb-local.ts';
import { dynamoDbClient } from '../../shared/adapters/dynamodb/dynamodb-client.ts';
import { ContractResults } from '../contracts/contract-results.ts';
import { createTables, dynamoDbUnderTest } from '../contracts/dynamodb-under-test.ts';
import { fakeUnderTest } from '../contracts/fake-under-test.ts';
import { idempotencyKeyStoreContract } from '../contracts/idempotency-key-store.contract.ts';
import { ledgerStoreContract } from '../contracts/ledger-store.contract.ts';
import type { LedgerUnderTest } from '../contracts/ledger-under-test.ts';

/** These clauses are about answers, not about time: a busy machine may take longer than a function would wait. */
const PATIENT = { connectionTimeoutMs: 30_000, requestTimeoutMs: 30_000 };

const results = new ContractResults();
const clients: DynamoDBClient[] = [];
let dynamoDbLocal: DynamoDbLocal | undefined;
let onDynamoDbLocal: LedgerUnderTest;
let onMiniStack: LedgerUnderTest;

beforeAll(async () => {
  await Promise.all([
    startDynamoDbLocal().then(async (server) => {
      dynamoDbLocal = server;
      onDynamoDbLocal = await opened(dynamoDbClient({ ...server.clientConfig, ...PATIENT }));
    }),
    opened(dynamoDbClient({ ...onTheRunsCloud(), ...PATIENT })).then((tables) => {
      onMiniStack = tables;
    }),
  ]);
});

afterAll(async () => {
  for (const client of clients) client.destroy();
  await dynamoDbLocal?.stop();
  const table = results.table(['fake', 'DynamoDB Local', 'MiniStack']);
  await mkdir('reports', { recursive: true });
  await writeFile('reports/contracts.txt', `${table}\n`);
  console.log(`Contracts of the ledger's ports (also in reports/contracts.txt)\n${table}`);
});

function onTheRunsCloud() {
  const { url: endpoint, region, certificateFile, credentials } = inject('localCloud').endpoint;
  const httpsAgent = new Agent({ ca: readFileSync(certificateFile), keepAlive: true, maxSockets: 50 });
  return { endpoint, region, httpsAgent, credentials };
}

async function opened(client: DynamoDBClient): Promise<LedgerUnderTest> {
  clients.push(client);
  await createTables(client);
  return dynamoDbUnderTest(client);
}

ledgerStoreContract('fake', async () => fakeUnderTest(), results);
ledgerStoreContract('DynamoDB Local', async () => onDynamoDbLocal, results);
ledgerStoreContract('MiniStack', async () => onMiniStack, results);

idempotencyKeyStoreContract('fake', async () => fakeUnderTest(), results);
idempotencyKeyStoreContract('DynamoDB Local', async () => onDynamoDbLocal, results);
idempotencyKeyStoreContract('MiniStack', async () => onMiniStack, results);
