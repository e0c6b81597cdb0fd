/** At most `maxBytes` of UTF-8, never in the middle of a character. */
export function cutText(text: string, maxBytes: number): string {
  const limit = Math.max(0, Math.floor(maxBytes));
  const whole = Buffer.from(text);
  if (whole.length <= limit) return text;
  let end = limit;
  // Bytes 10xxxxxx continue a character; no text begins with one.
  while (((whole[end] as number) & 0xc0) === 0x80) end--;
  return whole.toString('utf8', 0, end);
}
