/** All that write to a consumer's topics as operators exclude each other by this name. */
export function redriveTransactionalId({
  group,
  deadLetterTopic,
}: {
  readonly group: string;
  readonly deadLetterTopic: string;
}): string {
  return `lockstep-redrive.${group}.${deadLetterTopic}`;
}
