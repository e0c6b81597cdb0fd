import { oneConsumer } from '../cli/consumer.ts';
import { parkedKeysOf, parkedLine } from '../cli/parked-keys.ts';
import { OperatorError } from '../shared/operator-errors.ts';
import type { KeptTarget } from './kept-target.ts';
import type { SharedAnswers } from './looks.ts';
import { type Answers, MOST_LETTERS } from './messages.ts';
import { runbook } from './runbook.ts';
import { valueView } from './value-view.ts';

/** Records of a parked key that are listed. */
const MOST_OF_A_KEY = 50;

type Ask = (query: URLSearchParams) => Promise<Answers[keyof Answers]>;

/** What a page may ask, by path. Equal questions that come close together are asked once. */
export function questions(
  kept: KeptTarget,
  shared: SharedAnswers,
  { noValues }: { readonly noValues: boolean },
): ReadonlyMap<string, Ask> {
  const asked = (name: keyof Answers, ask: Ask): [string, Ask] => [
    `/api/${name}`,
    (query) => shared.of(`${name}?${query}`, () => ask(query)),
  ];
  return new Map([
    asked('groups', (query) =>
      kept.use((target) =>
        target.operate(oneConsumer(target.consumers, given(query, 'consumer')), { type: 'groups', filter: {} }),
      ),
    ),
    asked('letters', (query) =>
      kept.use(async (target) => {
        const fingerprint = query.get('fingerprint');
        const limit = Math.min(MOST_LETTERS, Math.max(1, Math.trunc(Number(query.get('limit'))) || 50));
        const filter = fingerprint === null ? {} : { fingerprint };
        const found = { letters: [] as Answers['letters']['letters'][number][], total: 0, foreign: 0 };
        const consumer = oneConsumer(target.consumers, given(query, 'consumer'));
        for await (const { letters, total, foreign } of target.letterPages(consumer, { filter, limit })) {
          found.letters.push(...letters);
          Object.assign(found, { total, foreign });
        }
        return found;
      }),
    ),
    asked('letter', (query) =>
      kept.use(async (target) => {
        const consumer = oneConsumer(target.consumers, given(query, 'consumer'));
        const id = given(query, 'id');
        const { letter } = await target.operate(consumer, { type: 'letter', id });
        if (letter === null)
          throw new OperatorError(
            'OPERATION_REFUSED',
            `there is no dead letter ${id}: the retention of the topic may have taken it`,
          );
        const { value: _, ...withoutValue } = letter;
        return withoutValue;
      }),
    ),
    asked('value', async (query) => {
      if (noValues) throw new OperatorError('OPERATION_REFUSED', 'the console was started with --no-values');
      return kept.use(async (target) => {
        const consumer = oneConsumer(target.consumers, given(query, 'consumer'));
        const id = given(query, 'id');
        const { records } = await target.operate(consumer, { type: 'records', id, before: 0, of: 'partition' });
        const record = records.at(-1);
        if (record === undefined)
          throw new OperatorError('OPERATION_REFUSED', `Kafka holds no record of dead letter ${id}`);
        return valueView(record.value === null ? null : Buffer.from(record.value, 'base64'));
      });
    }),
    asked('parked', (query) =>
      kept.use(async (target) => {
        const consumer = oneConsumer(target.consumers, given(query, 'consumer'));
        const now = Date.now();
        return (await parkedKeysOf(target, consumer)).map((found) => parkedLine(consumer, found, now));
      }),
    ),
    asked('sequence', (query) =>
      kept.use((target) =>
        target.operate(oneConsumer(target.consumers, given(query, 'consumer')), {
          type: 'parkedLetters',
          sequence: given(query, 'sequence'),
          lines: MOST_OF_A_KEY,
        }),
      ),
    ),
    asked('runbook', runbook),
  ]);
}

function given(query: URLSearchParams, name: string): string {
  const value = query.get(name);
  if (value) return value;
  throw new OperatorError('OPERATOR_REQUEST_INVALID', `expected ${name} in the question`);
}
