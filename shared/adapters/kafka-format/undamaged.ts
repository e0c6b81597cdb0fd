/** WebAssembly says of damaged bytes only that it came to a place where it never should. @throws RangeError that names the codec */
export function undamaged(codec: string, decompress: () => Buffer): Buffer {
  try {
    return decompress();
  } catch (cause) {
    throw new RangeError(`the ${codec} bytes are damaged`, { cause });
  }
}
