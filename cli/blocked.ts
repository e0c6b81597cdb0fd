import { Command } from 'commander';
import { positionName } from '../shared/record/item-identifier.ts';
import { chosen } from './consumer.ts';
import { consumerStatus } from './consumer-state.ts';
import { type CommonOptions, openTarget, optionsOf, print, WIDTH } from './context.ts';
import { example } from './example.ts';
import { table } from './table.ts';
import { errorOf, shortDuration } from './words.ts';

interface BlockedHead {
  readonly consumer: string;
  /** For example `orders-3@1042`. */
  readonly position: string;
  readonly attempts: number;
  readonly interruptions: number;
  /** Its dead letter is due or may have been written: the record is not tried again. */
  readonly exhausted: boolean;
  readonly firstFailedAt?: string;
  readonly nextTryAt?: string;
  readonly fingerprint?: string;
  readonly errorName?: string;
  readonly errorText?: string;
}

export const blocked = new Command('blocked')
  .description('Lists the records that block their partition or key: tries, next try, and the last error.')
  .addHelpText('after', example('lockstep blocked --local', 'lockstep blocked --stack Lockstep-Orders-prod --json'))
  .action(async (_, command: Command) => {
    const options = optionsOf<CommonOptions>(command);
    await using target = await openTarget(options);
    const now = Date.now();
    const consumers = chosen(target.consumers, options.consumer);
    const found = await Promise.all(
      consumers.map(async (consumer) => {
        const { partitions } = await consumerStatus(target, consumer, now);
        return partitions.flatMap(({ partition, blockedRecords }) =>
          blockedRecords.map(
            ({
              offset,
              attempts,
              interruptions,
              exhausted,
              firstFailedAt,
              notBefore,
              fingerprint,
              error,
            }): BlockedHead => ({
              consumer: consumer.name,
              position: positionName({ topic: consumer.topic, partition, offset }),
              attempts,
              interruptions,
              exhausted,
              ...(firstFailedAt !== undefined && { firstFailedAt: new Date(firstFailedAt).toISOString() }),
              ...(notBefore !== undefined && { nextTryAt: new Date(notBefore).toISOString() }),
              ...(fingerprint !== undefined && { fingerprint }),
              ...(error !== undefined && { errorName: error.name, errorText: error.text }),
            }),
          ),
        );
      }),
    );
    print(options, found.flat(), (all) => describe(all, now));
  });

function describe(all: readonly BlockedHead[], now: number): string {
  if (all.length === 0) return 'No record is blocked.';
  const rows = all.map(
    ({ position, attempts, interruptions, firstFailedAt, nextTryAt, fingerprint, errorName, errorText, exhausted }) => [
      position,
      `${attempts}+${interruptions}`,
      firstFailedAt === undefined ? '' : shortDuration(now - Date.parse(firstFailedAt)),
      exhausted
        ? 'gives up'
        : nextTryAt === undefined
          ? ''
          : Date.parse(nextTryAt) > now
            ? shortDuration(Date.parse(nextTryAt) - now)
            : 'now',
      fingerprint ?? '',
      errorOf(errorName ?? '', errorText ?? ''),
    ],
  );
  return table(
    ['RECORD', 'TRIES', 'SINCE', 'NEXT TRY', 'FINGERPRINT', 'LAST ERROR'],
    [24, 6, 9, 10, 13, 0],
    rows,
    WIDTH,
  );
}
