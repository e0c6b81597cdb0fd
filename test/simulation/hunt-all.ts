/** Looks for every deliberate bug, also those that need many thousands of runs. Exit 0 only if each was found within its runs. */
import { availableParallelism } from 'node:os';
import { BugHunters } from './bug-hunters.ts';
import { BUG_NAMES, BUGS } from './bugs.ts';

const hunters = new BugHunters(availableParallelism());
const found = await Promise.all(
  BUG_NAMES.map(async (name) => {
    const hunt = await hunters.hunt(name);
    const verdict = hunt.found === undefined ? 'NOT FOUND' : `seed ${hunt.found.seed} broke ${hunt.found.property}`;
    console.log(`${name}: ${verdict}, ${hunt.runs} of ${BUGS[name].within} runs`);
    return hunt.found !== undefined;
  }),
);
await hunters.end();
process.exitCode = found.every(Boolean) ? 0 : 1;
