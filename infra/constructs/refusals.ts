import { CLUSTER_REFUSALS, SHAPE_REFUSALS } from './cluster-refusals.ts';
import type { ConsumerSettings } from './consumer-settings.ts';
import { FAILURE_DESTINATION_REFUSALS } from './failure-destination-refusals.ts';
import { FUNCTION_REFUSALS } from './function-refusals.ts';
import { MAPPING_REFUSALS } from './mapping-refusals.ts';
import { NAME_REFUSALS } from './name-refusals.ts';
import { PARKED_KEY_REFUSALS } from './parked-key-refusals.ts';
import type { Refusal } from './refusal.ts';

/** Every refusal by its code. CDK accepts most of these silently. */
export const REFUSALS = {
  ...SHAPE_REFUSALS,
  ...FAILURE_DESTINATION_REFUSALS,
  ...NAME_REFUSALS,
  ...MAPPING_REFUSALS,
  ...FUNCTION_REFUSALS,
  ...CLUSTER_REFUSALS,
  ...PARKED_KEY_REFUSALS,
} as const;

/** A code of {@link REFUSALS}. */
export type RefusalCode = keyof typeof REFUSALS;

/** Everything that is refused about these settings: code and full text, in the table's order. */
export function refusalsOf(settings: ConsumerSettings): { readonly code: string; readonly text: string }[] {
  const inTable = (table: Readonly<Record<string, Refusal>>) =>
    Object.entries(table).flatMap(([code, { property, objection, fix }]) => {
      const what = objection(settings);
      return what === undefined ? [] : [{ code, text: `\`${property}\`: ${what}. ${fix}.` }];
    });
  const shapeless = inTable(SHAPE_REFUSALS);
  return shapeless.length > 0 ? shapeless : inTable(REFUSALS);
}
