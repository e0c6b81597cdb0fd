/**
 * A condition that a request names items, and none but these. `ForAllValues` alone is true for a request without any key, as a
 * scan is. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 *
 * @param keys - with `*` at their end for all that begin so
 */
export function onlyItems(keys: readonly string[]) {
  return {
    'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [...keys] },
    Null: { 'dynamodb:LeadingKeys': 'false' },
  };
}
