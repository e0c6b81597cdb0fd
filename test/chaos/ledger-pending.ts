import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import type { CloudDescription } from '../../infra/local/cloud-description.ts';
import type { DeployedConsumer } from '../../infra/local/deployed.ts';
import { clientConfig } from '../../infra/local/local-endpoint.ts';
import type { Range } from './evidence.ts';
import { decodeRanges, placeOf } from './ledger-request.ts';

/** What the ledger's items of a consumer's topic say must still come back, by partition. */
export async function ledgerPending(
  { endpoint }: CloudDescription,
  { function: { environment }, mapping: { topic } }: DeployedConsumer,
): Promise<Map<number, Range[]>> {
  const client = new DynamoDBClient(clientConfig(endpoint));
  const TableName = environment['LOCKSTEP_LEDGER_TABLE'];
  const pending = new Map<number, Range[]>();
  for await (const { Items = [] } of paginateScan({ client }, { TableName, ConsistentRead: true }))
    for (const { pk, pending: ranges } of Items) {
      const place = placeOf(pk);
      if (place?.topic === topic) pending.set(place.partition, decodeRanges(ranges?.S));
    }
  client.destroy();
  return pending;
}
