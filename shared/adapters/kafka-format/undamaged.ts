/**
 * Turns the error of WebAssembly for damaged bytes, an unreachable instruction, into a clear one. @throws RangeError that names
 * the codec
 */
export function undamaged(codec: string, decompress: () => Buffer): Buffer {
  try {
    return decompress();
  } catch (cause) {
    throw new RangeError(`the ${codec} bytes are damaged`, { cause });
  }
}
