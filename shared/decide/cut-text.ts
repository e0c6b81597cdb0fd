/** At most `maxBytes` of UTF-8, never in the middle of a character. Half a character, which UTF-8 cannot hold, becomes U+FFFD. */
export function cutText(text: string, maxBytes: number): string {
  const whole = Buffer.from(text);
  let end = Math.max(0, Math.floor(maxBytes));
  // Bytes 10xxxxxx continue a character; no text begins with one.
  while (((whole[end] ?? 0) & 0xc0) === 0x80) end--;
  return whole.toString('utf8', 0, end);
}
