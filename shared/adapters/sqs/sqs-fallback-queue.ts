import type { SQSClient, SQSClientConfig } from '@aws-sdk/client-sqs';
import { LockstepError } from '../../errors.ts';
import type { FallbackEntry, FallbackQueue } from '../../ports/fallback-queue.ts';
import type { StackSecret } from '../../ports/stack-secret.ts';
import { partitionName, positionName } from '../../record/item-identifier.ts';
import { encodeFallbackEntry } from './fallback-entry.ts';

/**
 * The largest message that SQS takes.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
 */
const MAX_ENTRY_BYTES = 1_048_576;

/** How the queue is reached. Region, endpoint and credentials that are not given come from the environment. */
export interface SqsFallbackQueueOptions
  extends Pick<SQSClientConfig, 'endpoint' | 'region' | 'credentials' | 'requestHandler'> {
  readonly queueUrl: string;
  readonly secret: StackSecret;
}

/**
 * The fallback queue in SQS. Entries are base64 inside JSON, so 1 MiB holds about 750 KB of value. The client is loaded with
 * the first entry. There are at most two tries, each with time limits (1 s to connect, 2 s for the answer). A repeated entry
 * gives the same dead letter twice, with one id.
 */
export function sqsFallbackQueue({ queueUrl, secret, ...where }: SqsFallbackQueueOptions): FallbackQueue {
  let client: SQSClient | undefined;
  return {
    async send(entry) {
      const body = encodeFallbackEntry(entry, await secret());
      // Plain ASCII: a character is a byte.
      if (body.length > MAX_ENTRY_BYTES) {
        const size = `${body.length} bytes, SQS takes ${MAX_ENTRY_BYTES}`;
        throw new LockstepError('FALLBACK_REFUSED', `${describe(entry)} is too large for the fallback queue: ${size}`);
      }
      try {
        const { SendMessageCommand, SQSClient } = await import('./sqs-client.ts');
        client ??= new SQSClient({
          maxAttempts: 2,
          requestHandler: { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true },
          ...where,
        });
        await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
      } catch (cause) {
        const what = `the fallback queue ${queueUrl} did not accept ${describe(entry)}: ${textOf(cause)}`;
        throw new LockstepError('FALLBACK_REFUSED', what, { cause });
      }
    },
  };
}

function describe(entry: FallbackEntry): string {
  return entry.type === 'letter'
    ? `the letter of ${positionName(entry.letter.origin)}`
    : `abandoned offsets of ${partitionName(entry.partition)}`;
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}
