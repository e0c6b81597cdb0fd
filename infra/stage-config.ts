import * as v from 'valibot';

const positive = v.pipe(v.number(), v.integer(), v.minValue(1));
const id = (prefix: string) => v.pipe(v.string(), v.regex(new RegExp(`^${prefix}-[0-9a-z]+$`), `expected ${prefix}-…`));
const clusterArn = v.pipe(
  v.string('pass the ARN of the cluster: -c clusterArn=arn:aws:kafka:…'),
  v.regex(
    /^arn:[^:]+:kafka:[^:]*:[^:]*:cluster\/[^/]+\/[^/]+$/,
    'expected arn:aws:kafka:<region>:<account>:cluster/<name>/<uuid>',
  ),
);

/** A cluster that is there already. */
const ExistingCluster = v.strictObject({
  type: v.literal('existing'),
  clusterArn,
  vpcId: id('vpc'),
  subnetIds: v.pipe(v.array(id('subnet')), v.minLength(1)),
  securityGroupIds: v.pipe(v.array(id('sg')), v.minLength(1)),
  auth: v.literal('iam'),
});

/** A broker on loopback behind an emulator's cluster ARN; topics are made through Kafka. */
const LoopbackCluster = v.strictObject({
  type: v.literal('loopback'),
  clusterArn,
  bootstrapServers: v.optional(v.string()),
});

/** A cluster of our own, in a VPC of our own. */
const NewCluster = v.strictObject({
  type: v.literal('new'),
  region: v.pipe(v.string(), v.regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'expected a region, as eu-central-1')),
  /** Three, named: looking them up would ask for credentials at synth. */
  zones: v.pipe(v.array(v.string()), v.length(3), v.readonly()),
  kafkaVersion: v.string(),
  brokerType: v.string(),
  storageGiBPerBroker: positive,
});

const Stage = v.strictObject({
  stage: v.picklist(['local', 'demo', 'example', 'cluster', 'verify']),
  cluster: v.variant('type', [ExistingCluster, LoopbackCluster, NewCluster]),
  /** What happens to tables, queues and logs when the stack goes. */
  removal: v.picklist(['destroy', 'retain']),
  functionTimeoutSeconds: v.pipe(positive, v.maxValue(840)),
  functionMemoryMiB: v.pipe(positive, v.minValue(128), v.maxValue(10_240)),
  batchSizeRecords: v.pipe(positive, v.maxValue(10_000)),
  ordersPartitions: positive,
  topicRetentionHours: positive,
  /** Where the orders function asks for credit; empty: it does not. */
  creditCheckUrl: v.optional(v.pipe(v.string(), v.url())),
  /** Where the payments function charges; empty: every payment waits. */
  paymentApiUrl: v.optional(v.pipe(v.string(), v.url())),
  /** Where alarms are mailed to; absent: nowhere. */
  alarmEmail: v.optional(v.pipe(v.string(), v.email())),
  /** A KMS key of yours under which everything is kept; absent: keys of AWS. */
  encryptionKeyArn: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^arn:[^:]+:kms:[^:]+:\d{12}:key\/[\w-]+$/, 'expected arn:aws:kms:<region>:<account>:key/<id>'),
    ),
  ),
});

/** One stage, checked: every limit has its unit in its name. */
export type StageConfig = v.InferOutput<typeof Stage>;

/** What `cdk -c name=value` may say. */
export type StageContext = Readonly<
  Record<'stage' | 'clusterArn' | 'creditCheckUrl' | 'region' | 'alarmEmail', unknown> & {
    paymentApiUrl?: unknown;
    encryptionKeyArn?: unknown;
  }
> & {
  readonly bootstrapServers?: unknown;
  /** Of `cdk.json`, as README shows it: a cluster that is there already. */
  readonly cluster?: unknown;
};

const LIMITS = {
  functionTimeoutSeconds: 60,
  functionMemoryMiB: 512,
  batchSizeRecords: 100,
  ordersPartitions: 6,
  topicRetentionHours: 7 * 24,
};

/**
 * The configuration of the stage that the context names.
 *
 * @throws Error naming each wrong setting and what was expected
 */
export function stageConfig(context: StageContext): StageConfig {
  const parsed = v.safeParse(Stage, draft(context));
  if (parsed.success) return parsed.output;
  const wrong = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? 'stage'}: ${issue.message}`);
  throw new Error(`STAGE_INVALID: stage \`${String(context.stage)}\` is not as expected.\n${wrong.join('\n')}`);
}

function draft(context: StageContext): Record<string, unknown> {
  const shared = {
    stage: context.stage,
    ...LIMITS,
    ...(context.creditCheckUrl !== undefined && { creditCheckUrl: context.creditCheckUrl }),
    ...(context.paymentApiUrl !== undefined && { paymentApiUrl: context.paymentApiUrl }),
    ...(context.alarmEmail !== undefined && { alarmEmail: context.alarmEmail }),
    ...(context.encryptionKeyArn !== undefined && { encryptionKeyArn: context.encryptionKeyArn }),
  };
  switch (context.stage) {
    case 'local':
    case 'demo':
      return {
        ...shared,
        removal: 'destroy',
        ordersPartitions: 3,
        cluster: {
          type: 'loopback',
          clusterArn: context.clusterArn,
          ...(context.bootstrapServers !== undefined && { bootstrapServers: context.bootstrapServers }),
        },
      };
    case 'cluster': {
      const region = context.region ?? 'eu-central-1';
      return {
        ...shared,
        removal: 'retain',
        cluster: {
          type: 'new',
          region,
          zones: ['a', 'b', 'c'].map((zone) => `${region}${zone}`),
          kafkaVersion: '3.9.x.kraft',
          brokerType: 'kafka.m7g.large',
          storageGiBPerBroker: 100,
        },
      };
    }
    case 'verify':
      return { ...shared, removal: 'destroy', cluster: existingCluster(context) };
    default:
      return { ...shared, removal: 'retain', cluster: existingCluster(context) };
  }
}

function existingCluster({ cluster }: StageContext): unknown {
  return typeof cluster === 'object' ? { type: 'existing', ...cluster } : (cluster ?? EXAMPLE_CLUSTER);
}

/** Made up: copy it, and put in your own. */
const EXAMPLE_CLUSTER = {
  type: 'existing',
  clusterArn: 'arn:aws:kafka:eu-central-1:111122223333:cluster/example/0a1b2c3d-1111-2222-3333-444455556666-7',
  vpcId: 'vpc-0123456789abcdef0',
  subnetIds: ['subnet-0aaaaaaaaaaaaaaaa', 'subnet-0bbbbbbbbbbbbbbbb', 'subnet-0cccccccccccccccc'],
  securityGroupIds: ['sg-0123456789abcdef0'],
  auth: 'iam',
};
