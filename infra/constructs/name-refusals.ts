import { LETTER_HEADROOM_BYTES } from './dead-letter-topic.ts';
import { known, type Refusal } from './refusal.ts';

const TOPIC_NAME = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/;
const CONSUMER_NAME = /^(?=.*[A-Za-z0-9])[A-Za-z0-9 ._-]{1,100}$/;
const LITERAL_NAME = /^[^*?$#\s]{1,200}$/;

/** Topics, groups and key namespaces. */
export const NAME_REFUSALS = {
  LOCKSTEP_DEAD_LETTER_TOPIC_IS_SOURCE: {
    property: 'deadLetterTopic',
    because:
      'The dead-letter topic is the source topic: dead letters would be consumed as records, and fail again, for ever.',
    fix: 'Name another topic, or drop `deadLetterTopic` to have one made',
    objection: (s) =>
      s.deadLetterTopic.topicName === s.source.topicName
        ? `\`${s.source.topicName}\` is also the source topic: dead letters would be consumed again as records`
        : undefined,
  },
  LOCKSTEP_DEAD_LETTER_TOPIC_TOO_SMALL: {
    property: 'deadLetterTopic.maxRecordBytes',
    because:
      'A dead-letter topic whose record limit is not 64 KiB above the source’s: the largest records could not be dead-lettered.',
    fix: 'Raise `max.message.bytes` of the dead-letter topic, and set `deadLetterTopic.maxRecordBytes` to it',
    objection: ({ deadLetterTopic, source }) => {
      const least = source.maxRecordBytes + LETTER_HEADROOM_BYTES;
      return deadLetterTopic.maxRecordBytes < least
        ? `\`${deadLetterTopic.topicName}\` takes records of ${deadLetterTopic.maxRecordBytes} bytes, but dead letters of \`${source.topicName}\` need ${least}: its ${source.maxRecordBytes} and 64 KiB for headers`
        : undefined;
    },
  },
  LOCKSTEP_TOPIC_NAME_INVALID: {
    property: 'topic',
    because:
      'A topic name that Kafka refuses, or that would widen a permission (`*`, `?`, blanks, over 249 characters).',
    fix: 'Use letters, digits, `.`, `_` and `-`',
    objection: (s) => {
      const wrong = [s.source.topicName, s.deadLetterTopic.topicName, ...s.producesTo].find(
        (name) => !known(name, TOPIC_NAME),
      );
      return wrong === undefined ? undefined : `\`${wrong}\` is not a valid name of a Kafka topic`;
    },
  },
  LOCKSTEP_GROUP_HIDES_LAG: {
    property: 'consumerGroup',
    because:
      'A consumer group with `:` or non-ASCII characters: MSK publishes no lag metrics for it, so lag alarms never fire.',
    fix: 'Use letters, digits, `.`, `_` and `-`',
    objection: (s) =>
      known(s.consumerGroup, /^[^:\u0080-\uffff]*$/)
        ? undefined
        : `MSK publishes no lag metrics for the group \`${s.consumerGroup}\` (a colon or a non-ASCII character), so its lag alarm would never fire`,
  },
  LOCKSTEP_CONSUMER_NAME_INVALID: {
    property: 'consumerName',
    because:
      'A consumer name with other than ASCII characters, or without a letter or digit: CloudWatch takes no metric under it, so alarms stay silent, and `lockstep` cannot name the consumer.',
    fix: 'Use letters, digits, blanks, `.`, `_` and `-`, 1 to 100 of them, with at least one letter or digit',
    objection: (s) =>
      known(s.consumerName, CONSUMER_NAME)
        ? undefined
        : `\`${s.consumerName}\` is no name under which CloudWatch takes metrics and \`lockstep\` finds the consumer`,
  },
  LOCKSTEP_NAME_WIDENS_GRANT: {
    property: 'consumerGroup',
    because:
      'A group or key namespace with `*`, `?`, `$` or `#`: these are wildcards in permissions, or separators in the ledger’s keys.',
    fix: 'Use letters, digits, `.`, `_` and `-`, 1 to 200 of them',
    objection: (s) => {
      const names = [s.consumerGroup, ...s.keyNamespaces];
      const wrong = names.find((name) => !known(name, LITERAL_NAME));
      return wrong === undefined
        ? undefined
        : `\`${wrong}\` has characters with another meaning in a permission or in the ledger's keys, or is empty or over 200 characters`;
    },
  },
} as const satisfies Record<string, Refusal>;
