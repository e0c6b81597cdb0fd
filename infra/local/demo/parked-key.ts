import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { CloudDescription } from '../cloud-description.ts';
import type { DeployedConsumer } from '../deployed.ts';
import { setFunction } from '../function-settings.ts';
import { clientConfig } from '../local-endpoint.ts';
import { REPOSITORY } from '../local-folder.ts';
import type { Check } from './checks.ts';
import type { PlannedRecord } from './demo-plan.ts';

const PARKED = 'lamp';
const OTHER = 'chair';

/** Changes of two SKUs in one partition. The first one cannot be applied before its warehouse is known. */
export const STOCK_CHANGES: readonly PlannedRecord[] = [
  stockChange('lamp-1', PARKED, 'ADD', 100, 'new'),
  stockChange('lamp-2', PARKED, 'REMOVE', 50, 'main'),
  stockChange('chair-1', OTHER, 'ADD', 7, 'main'),
];

/**
 * Makes the missing warehouse known and releases the parked key, with the command that an operator would type.
 *
 * @param stock - its group has committed {@link STOCK_CHANGES}
 */
export async function releaseParkedKey(cloud: CloudDescription, stock: DeployedConsumer): Promise<Check> {
  const file = join(cloud.runFolder, 'cloud.json');
  await writeFile(file, JSON.stringify(cloud), { mode: 0o600 });
  const lockstep = async (...command: readonly string[]) => {
    const args = ['cli/main.ts', ...command, '--local', '--consumer', stock.name, '--json'];
    const env = { ...process.env, LOCKSTEP_CLOUD_FILE: file };
    return JSON.parse((await promisify(execFile)(process.execPath, args, { cwd: REPOSITORY, env })).stdout);
  };
  const parked = await lockstep('parked');
  const before = await stockOf(cloud, PARKED);
  const other = await stockOf(cloud, OTHER);
  await setFunction(cloud.endpoint, stock.function, { environment: { WAREHOUSES: 'main,new' } });
  await lockstep('release', '--key', PARKED, '--yes');
  const left = await lockstep('parked');
  const after = await stockOf(cloud, PARKED);
  return {
    claim:
      'A change that could not be applied parked its key: lockstep release ran both of its records in order, and it is free',
    found: `${parked.map(({ key, waiting }: { key: string; waiting: number }) => `${key}: ${waiting} waited`).join(', ')}; released: ${after.changes.join(', ')}; ${left.length} keys parked`,
    held:
      parked.length === 1 &&
      parked[0].key === PARKED &&
      parked[0].waiting === 2 &&
      before.changes.length === 0 &&
      other.level === 7 &&
      after.level === 50 &&
      after.changes.join() === 'lamp-1,lamp-2' &&
      left.length === 0,
  };
}

async function stockOf({ endpoint, deployed }: CloudDescription, sku: string) {
  const client = new DynamoDBClient(clientConfig(endpoint));
  const TableName = deployed.outputs['StockTableName'];
  try {
    const { Item } = await client.send(new GetItemCommand({ TableName, Key: { sku: { S: sku } } }));
    return { level: Number(Item?.['level']?.N ?? 0), changes: (Item?.['changes']?.L ?? []).map(({ S }) => S) };
  } finally {
    client.destroy();
  }
}

function stockChange(changeId: string, sku: string, type: 'ADD' | 'REMOVE', quantity: number, warehouse: string) {
  return { partition: 0, key: sku, value: JSON.stringify({ changeId, sku, type, quantity, warehouse }) };
}
