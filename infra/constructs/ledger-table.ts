import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

/** A ledger that consumers share. Cluster, group and key namespace are part of the keys of their items. */
export interface Ledger {
  /** A `Table`, a `TableV2`, or an imported one. */
  readonly table: { readonly tableName: string; readonly tableArn: string; readonly encryptionKey?: IKey | undefined };
}

/** Properties of {@link LedgerTable}. */
export interface LedgerTableProps {
  /** @default a key owned by DynamoDB */
  readonly encryptionKey?: IKey;
  /**
   * Any value but DESTROY also protects the table against deletion. @default RemovalPolicy.RETAIN: without the table records
   * run again
   */
  readonly removalPolicy?: RemovalPolicy;
}

/**
 * The table in which consumers keep their progress: on demand, key `pk`, TTL `expiresAt`, point-in-time recovery. It is a
 * `Table`, since CDK's `TableV2` takes no key of yours in a stack without a region.
 */
export class LedgerTable extends Construct implements Ledger {
  readonly table: Table;

  constructor(scope: Construct, id: string, props: LedgerTableProps = {}) {
    super(scope, id);
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      timeToLiveAttribute: 'expiresAt',
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: removalPolicy !== RemovalPolicy.DESTROY,
      removalPolicy,
      ...(props.encryptionKey && { encryptionKey: props.encryptionKey }),
    });
  }
}
