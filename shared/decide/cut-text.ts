/** At most `maxBytes` of UTF-8, never in the middle of a character. */
export function cutText(text: string, maxBytes: number): string {
  const limit = Math.max(0, Math.floor(maxBytes));
  // One character takes at most three bytes for each UTF-16 unit.
  if (text.length * 3 <= limit) return text;
  const whole = Buffer.from(text);
  if (whole.length <= limit) return text;
  let end = limit;
  // Bytes 10xxxxxx continue a character; no text begins with one.
  while (((whole[end] as number) & 0xc0) === 0x80) end--;
  return whole.toString('utf8', 0, end);
}
