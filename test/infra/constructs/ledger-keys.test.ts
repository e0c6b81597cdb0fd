import { describe, expect, test } from 'vitest';
import { clusterUuid, ledgerKey } from '../../../shared/record/item-identifier.ts';
import { ledgerKeyOfIdempotencyKey } from '../../../shared/runtime/idempotency-key-text.ts';
import { CLUSTER, only, roleStatements, synthConsumer } from '../synth.ts';

const CONNECTION = 'arn:aws:kafka:eu-central-1:444455556666:vpc-connection/111122223333/main/conn-9';

/** The prefixes of ledger keys that the role may touch; the environment as the function gets it. */
function deployed(vpcConnectionArn?: string) {
  const template = synthConsumer({
    cluster: { ...CLUSTER, ...(vpcConnectionArn !== undefined && { vpcConnectionArn }) },
  });
  const [statement] = roleStatements(template).filter(({ Sid }) => Sid === 'KeepOwnProgress');
  const conditions = (statement?.Condition ?? {}) as Readonly<Record<string, Readonly<Record<string, string[]>>>>;
  const patterns = conditions['ForAllValues:StringLike']?.['dynamodb:LeadingKeys'] ?? [];
  return {
    prefixes: patterns.map((pattern) => pattern.replace(/\*$/, '')),
    eventSourceArn: String(only(template, 'AWS::Lambda::EventSourceMapping')['EventSourceArn']),
  };
}

describe('the rights on the ledger fit the keys that the function writes', () => {
  test.each([
    ['of a cluster', undefined],
    ['through a VPC connection', CONNECTION],
  ])('%s', (_, vpcConnectionArn) => {
    const { prefixes, eventSourceArn } = deployed(vpcConnectionArn);
    const cluster = clusterUuid(eventSourceArn);
    const allowed = (key: string) => prefixes.some((prefix) => key.startsWith(prefix));

    expect(allowed(ledgerKey({ cluster, group: 'Shop-Orders', topic: 'orders', partition: 3 }))).toBe(true);
    expect(allowed(ledgerKey({ cluster, group: 'Shop-Orders-2', topic: 'orders', partition: 3 }))).toBe(false);
    expect(allowed(ledgerKeyOfIdempotencyKey('Shop-Orders', 'order-1'))).toBe(true);
    expect(allowed(ledgerKeyOfIdempotencyKey('Shop-Payments', 'order-1'))).toBe(false);
    expect(allowed(ledgerKey({ cluster: 'other', group: 'Shop-Orders', topic: 'orders', partition: 3 }))).toBe(false);
  });
});
