/**
 * A condition that a request names items, and only these. `ForAllValues` alone is true for a request without any key, such as a
 * scan. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 *
 * @param keys - with `*` at the end for all keys with that prefix
 */
export function onlyItems(keys: readonly string[]) {
  return {
    'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [...keys] },
    Null: { 'dynamodb:LeadingKeys': 'false' },
  };
}
