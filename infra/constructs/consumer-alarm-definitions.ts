import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import {
  type AlarmDefinition,
  functionMetric,
  groupMetric,
  mappingMetric,
  ourMetric,
  queueMetric,
  type Watched,
} from './alarm-definition.ts';
import type { AlarmOptions } from './alarm-options.ts';

/** Every alarm that fits this consumer; each has an entry of its name in docs/runbook.md. */
export function consumerAlarmDefinitions(watched: Watched, options: AlarmOptions = {}): AlarmDefinition[] {
  return [
    ...headAlarms(watched, options),
    ...ledgerAlarms(watched, options),
    ...queueAlarms(watched),
    ...functionAlarms(watched, options),
    ...(watched.provisioned ? mappingAlarms(watched, options) : []),
    ...(watched.clusterIsOurs ? [lagTime(watched, options)] : []),
  ];
}

function headAlarms(watched: Watched, options: AlarmOptions): AlarmDefinition[] {
  return [
    {
      name: 'dead-letters',
      question: 'lost',
      metric: ourMetric(watched, 'RecordsDeadLettered', 'Sum'),
      threshold: options.deadLetters ?? 0,
      means: 'Records were given up on and lie on the dead-letter topic.',
      firstStep: 'group the letters by error fingerprint, mend the cause, then redrive.',
    },
    {
      name: 'blocked-head',
      question: 'stuck',
      metric: ourMetric(watched, 'BlockedHeadAgeMs', 'Maximum'),
      threshold: (options.blockedFor ?? Duration.minutes(15)).toMilliseconds(),
      means: 'A record has blocked its partition, or its key, for too long; what comes after it waits.',
      firstStep: 'read the last error of the blocked record in the log of the function.',
    },
    {
      name: 'heads-abandoned',
      question: 'lost',
      metric: ourMetric(watched, 'HeadsAbandoned', 'Sum'),
      threshold: 0,
      means:
        'The mapping never brought back records that it owed; they went to the relay, and the partition went on without them.',
      firstStep: 'find the offsets in the log and check that each got a letter.',
    },
    {
      name: 'replay-halted',
      question: 'stuck',
      metric: ourMetric(watched, 'ReplayHalted', 'Sum'),
      threshold: 0,
      means:
        'Offsets from before the ledger’s memory came back (an offset reset?), and the partition stands still until somebody decides.',
      firstStep: 'find out who moved the offsets; the log names the commands to skip them or to run them again.',
    },
    {
      name: 'flood-breaker',
      question: 'stuck',
      metric: ourMetric(watched, 'FloodBreakerOpen', 'Sum'),
      threshold: 0,
      means: 'So many records in a row were exhausted that the next one blocks instead of being dead-lettered.',
      firstStep: 'roll back the last deployment, or mend what all the records depend on.',
    },
  ];
}

function ledgerAlarms(watched: Watched, options: AlarmOptions): AlarmDefinition[] {
  return [
    {
      name: 'fenced-commits',
      question: 'late',
      metric: ourMetric(watched, 'FencedCommits', 'Sum', Duration.minutes(5)),
      threshold: options.fencedCommits ?? 5,
      means: 'Invocations keep losing their partitions to others before they commit; records are handled again.',
      firstStep: 'check that handlers heed context.signal and that no second mapping uses the group.',
    },
    {
      name: 'ledger-unavailable',
      question: 'stuck',
      metric: ourMetric(watched, 'LedgerUnavailable', 'Sum'),
      threshold: 0,
      periods: 5,
      datapoints: 3,
      means: 'The function cannot reach its ledger table, so it starts no record.',
      firstStep: 'check the DynamoDB gateway endpoint of the subnets, the table and the role.',
    },
    {
      name: 'topic-recreated',
      question: 'lost',
      metric: ourMetric(watched, 'TopicsRecreated', 'Sum'),
      threshold: 0,
      means: 'A topic was recognised as deleted and made anew; its progress started afresh.',
      firstStep: 'check that somebody recreated it on purpose.',
    },
  ];
}

function queueAlarms({ fallbackQueueName, netQueueName }: Watched): AlarmDefinition[] {
  return [
    {
      name: 'fallback-queue',
      question: 'lost',
      metric: queueMetric(fallbackQueueName),
      threshold: 0,
      means: 'Letters that the dead-letter topic refused, or ranges that the mapping lost, wait in the fallback queue.',
      firstStep: 'mend the topic, then let the relay empty the queue; SQS keeps entries for 14 days.',
    },
    ...(netQueueName === undefined
      ? []
      : [
          {
            name: 'net-queue',
            question: 'lost',
            metric: queueMetric(netQueueName),
            threshold: 0,
            means:
              'Lambda gave up on records that the function never saw: too large, or unreadable by the schema registry.',
            firstStep:
              'read the condition and the offsets of the entries, mend producer or schema, then run the relay.',
          } as const,
        ]),
  ];
}

function functionAlarms(watched: Watched, options: AlarmOptions): AlarmDefinition[] {
  const percent = options.durationPercentOfTimeout ?? 90;
  return [
    {
      name: 'function-errors',
      question: 'stuck',
      metric: functionMetric(watched, 'Errors', 'Sum'),
      threshold: 0,
      // Throwing is how such a function asks for a batch again; only a quarter of an hour of it is news.
      periods: watched.throws ? 15 : 1,
      means: 'Invocations ended without an answer: crash, timeout, or a deployment that cannot start.',
      firstStep: 'read the error lines of the function’s log; roll back if a deployment just went out.',
    },
    {
      name: 'throttles',
      question: 'late',
      metric: functionMetric(watched, 'Throttles', 'Sum'),
      threshold: 0,
      periods: 5,
      means: 'Lambda refuses invocations for lack of concurrency, and takes pollers away.',
      firstStep: 'raise the reserved concurrency of the function or the quota of the account.',
    },
    {
      name: 'duration',
      question: 'late',
      metric: functionMetric(watched, 'Duration', 'Maximum'),
      threshold: watched.timeoutSeconds * 10 * percent,
      periods: 5,
      means: `Invocations take more than ${percent} % of the function’s timeout; handlers are close to being interrupted.`,
      firstStep: 'look at HandlerMs for the slow handler; lower the batch size or raise the timeout.',
    },
  ];
}

function mappingAlarms(watched: Watched, options: AlarmOptions): AlarmDefinition[] {
  return [
    {
      name: 'events-dropped',
      question: 'lost',
      metric: mappingMetric(watched, 'DroppedEventCount', 'Sum'),
      threshold: 0,
      means: 'The mapping has dropped records that nobody has handled: data is being lost.',
      firstStep: 'stop the mapping with `lockstep pause`, then find the dropped offsets in its log.',
    },
    {
      name: 'lag-records',
      question: 'late',
      metric: mappingMetric(watched, 'MaxOffsetLag', 'Maximum'),
      threshold: options.lagRecords ?? 10_000,
      periods: 15,
      means: 'A partition is too many records behind.',
      firstStep: 'see whether a head is blocked; if not, the handler is slower than the producers.',
    },
    {
      name: 'pollers-gone',
      question: 'stuck',
      metric: mappingMetric(watched, 'ProvisionedPollers', 'Maximum'),
      threshold: 1,
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      periods: 5,
      missing: TreatMissingData.BREACHING,
      means: 'Nobody polls the topic: the mapping is disabled, broken or gone.',
      firstStep: 'look at LastProcessingResult and StateTransitionReason of the mapping.',
    },
    {
      name: 'polling-errors',
      question: 'stuck',
      metric: mappingMetric(watched, 'PollingErrorCount', 'Sum'),
      threshold: 0,
      periods: 5,
      datapoints: 3,
      means: 'The mapping cannot read from the brokers.',
      firstStep: 'check the security groups, the role’s kafka-cluster rights, and the brokers.',
    },
    {
      name: 'commit-errors',
      question: 'late',
      metric: mappingMetric(watched, 'CommitErrorCount', 'Sum'),
      threshold: 0,
      periods: 5,
      datapoints: 3,
      means: 'The mapping cannot commit offsets; what it delivered will come again (the ledger skips it).',
      firstStep: 'check kafka-cluster:AlterGroup of the role and the group coordinator.',
    },
    ...(watched.decodesValues ? [registryErrors(watched)] : []),
    ...(watched.netQueueName === undefined ? [] : [netRefused(watched)]),
  ];
}

function registryErrors(watched: Watched): AlarmDefinition {
  return {
    name: 'registry-errors',
    question: 'stuck',
    metric: mappingMetric(watched, 'SchemaRegistryErrorCount', 'Sum'),
    threshold: 0,
    means: 'The mapping cannot fetch schemas or decode values with them.',
    firstStep: 'check that the registry is up, that the role may read it, and that the schema exists.',
  };
}

function netRefused(watched: Watched): AlarmDefinition {
  return {
    name: 'net-refused',
    question: 'lost',
    metric: mappingMetric(watched, 'OnFailureDestinationDeliveryErrorCount', 'Sum'),
    threshold: 0,
    means: 'The net did not take what Lambda gave up on: those records are dropped.',
    firstStep: 'check the queue’s policy and key and sqs:SendMessage of the role; read the offsets back from Kafka.',
  };
}

/** From the broker, in seconds: also true when no poller is left to say it. */
function lagTime(watched: Watched, options: AlarmOptions): AlarmDefinition {
  return {
    name: 'lag-time',
    question: 'late',
    metric: groupMetric(watched, 'EstimatedMaxTimeLag'),
    threshold: (options.lagTime ?? Duration.minutes(15)).toSeconds(),
    periods: 15,
    means: 'A partition is too far behind in time.',
    firstStep: 'see whether a head is blocked or pollers are gone; if not, the handler is slower than the producers.',
  };
}
