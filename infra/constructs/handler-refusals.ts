import { Annotations } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { ConsumerSettings } from './consumer-settings.ts';
import type { LookedAt, SeenHandler } from './look-at-handler.ts';
import type { Refusal } from './refusal.ts';
import { RefusalError } from './refusal-error.ts';

interface HandlerRefusal extends Omit<Refusal, 'objection'> {
  readonly objection: (settings: ConsumerSettings, seen: LookedAt) => string | undefined;
}

/** What a look at the bundled handler refuses, by code. */
export const HANDLER_REFUSALS = {
  LOCKSTEP_HANDLER_OPTIONS_INVALID: {
    property: 'entry',
    because: 'A handler whose options are refused: the function could not start.',
    fix: 'Correct the options of `lockstepConsumer(…)` there',
    objection: ({ entry }, seen) =>
      seen.type === 'failed' && seen.name === 'OPTIONS_INVALID' ? `in \`${entry}\`, ${seen.message}` : undefined,
  },
  LOCKSTEP_HANDLER_EXPORT_MISSING: {
    property: 'handlerExport',
    because: 'A module that does not export the handler under its name: no invocation would succeed.',
    fix: 'Export the handler under that name, or set `handlerExport`',
    objection: ({ entry, handlerExport }, seen) =>
      seen.type === 'loaded' && seen.exports[handlerExport] === undefined
        ? `\`${entry}\` exports ${namesOf(seen)}, but not \`${handlerExport}\``
        : undefined,
  },
  LOCKSTEP_HANDLER_NOT_OURS: {
    property: 'entry',
    because:
      'A handler that `lockstepConsumer(…)` did not make: Lambda would take what it returns for an answer, and commit.',
    fix: 'Export what `lockstepConsumer(…)` returns; a wrapper goes into `.use(…)`. Or set `checkHandler: false`',
    objection: ({ entry, handlerExport }, seen) =>
      seen.type === 'loaded' && seen.exports[handlerExport] === 'other'
        ? `\`${handlerExport}\` of \`${entry}\` is not what \`lockstepConsumer(…)\` returned`
        : undefined,
  },
  LOCKSTEP_HANDLER_DIFFERS: {
    property: 'retry',
    because:
      'Attempts, interruptions, `onExhausted` or `keyNamespace` of the handler that differ from the construct’s: the function would refuse to start.',
    fix: 'Give both the same values',
    objection: (settings, seen) => {
      const handler = seen.type === 'loaded' ? seen.exports[settings.handlerExport] : undefined;
      const differing = typeof handler === 'object' ? differences(handler, settings) : [];
      return differing.length === 0 ? undefined : `\`${settings.entry}\` differs: ${differing.join('; ')}`;
    },
  },
} as const satisfies Record<string, HandlerRefusal>;

/**
 * Refuses a handler that could not work. One that cannot be loaded here is only warned of: it may need what only Lambda has.
 *
 * @throws RefusalError naming the file and the fix
 */
export function refuseHandler(scope: Construct, settings: ConsumerSettings, seen: LookedAt): void {
  const { path } = scope.node;
  const refused = Object.entries<HandlerRefusal>(HANDLER_REFUSALS).flatMap(([code, { property, fix, objection }]) => {
    const what = objection(settings, seen);
    return what === undefined ? [] : [{ code, path, text: `\`${property}\`: ${what}. ${fix}.` }];
  });
  if (refused.length > 0) throw new RefusalError(refused);
  if (seen.type === 'failed')
    Annotations.of(scope).addWarningV2(
      'lockstep:handler-not-loaded',
      `\`${settings.entry}\` could not be loaded to look at its handler (${seen.name}: ${seen.message.split('\n')[0]}). If it needs what only Lambda has, set \`checkHandler: false\``,
    );
}

function differences(handler: SeenHandler, settings: ConsumerSettings): string[] {
  const { maxAttempts, maxInterruptions, onExhausted, keyNamespaces, consumerGroup } = settings;
  const pairs = [
    ['retry.maxAttempts', handler.maxAttempts, String(maxAttempts)],
    ['retry.maxInterruptions', handler.maxInterruptions, String(maxInterruptions)],
    ['retry.onExhausted', handler.onExhausted, onExhausted],
  ] as const;
  const keyNamespace = handler.keyNamespace || consumerGroup;
  return [
    ...pairs.flatMap(([name, here, there]) =>
      here === there ? [] : [`\`${name}\` is ${here} in the handler and ${there} in the construct`],
    ),
    ...(keyNamespaces.includes(keyNamespace)
      ? []
      : [
          `\`keyNamespace\` is \`${keyNamespace}\` in the handler, which is none of \`keyNamespaces\` in the construct`,
        ]),
  ];
}

function namesOf({ exports }: Extract<LookedAt, { readonly type: 'loaded' }>): string {
  const names = Object.keys(exports).map((name) => `\`${name}\``);
  return names.join(', ') || 'nothing';
}
