import { passingLine } from './passing-line.ts';

/** cdk's line for each resource, as `Stack | 3/30 | …`: of use only where the next one takes its place. */
const OF_PASSING_USE = / \| +\d+\/\d+ \| |^npm warn/;

/**
 * Does a step of a start: says what it is about, shows the lines of its tools while it runs, and says what came of it.
 *
 * @throws what `work` throws
 */
export async function step<T>(
  title: string,
  work: (onProgress: (line: string) => void) => Promise<T>,
  done: (result: T) => string,
): Promise<T> {
  const line = passingLine();
  console.log(`… ${title}`);
  try {
    const result = await work((text) => {
      if (process.stdout.isTTY || !OF_PASSING_USE.test(text)) line.show(`  ${text}`);
    });
    line.clear();
    console.log(`✔ ${done(result)}`);
    return result;
  } catch (error) {
    line.clear();
    throw error;
  }
}
