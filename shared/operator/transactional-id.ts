/** All operators that write to a consumer's topics use this transactional id, so that they exclude each other. */
export function redriveTransactionalId({
  group,
  deadLetterTopic,
}: {
  readonly group: string;
  readonly deadLetterTopic: string;
}): string {
  return `lockstep-redrive.${group}.${deadLetterTopic}`;
}
