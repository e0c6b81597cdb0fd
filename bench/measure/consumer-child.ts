import { fork } from 'node:child_process';
import { once } from 'node:events';
import { CONSUMER_ENVIRONMENT, type PeerName } from './peers.ts';
import type { Round, RoundResult } from './round.ts';

/** A consumer in a process of its own. */
export interface ConsumerChild extends AsyncDisposable {
  run(round: Round): Promise<RoundResult>;
}

/** Room for everything that a round allocates, so that nothing is collected before it is counted. */
const ALL_YOUNG = ['--expose-gc', '--min-semi-space-size=512', '--max-semi-space-size=512'];

/** Starts a consumer's process; its log lines go nowhere. */
export async function startConsumer(
  name: PeerName,
  { variables = {}, countAllocations = false }: { variables?: Record<string, string>; countAllocations?: boolean } = {},
): Promise<ConsumerChild> {
  const child = fork(new URL('./consumer-process.ts', import.meta.url), [name], {
    env: { ...process.env, ...CONSUMER_ENVIRONMENT, ...variables },
    execArgv: countAllocations ? ALL_YOUNG : [],
    // Their warnings about records that fail on purpose are not shown. Errors come back as answers.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  let answering = Promise.withResolvers<RoundResult | 'ready' | { readonly error: string }>();
  child.on('message', (message: RoundResult | 'ready') => answering.resolve(message));
  child.on('exit', () => answering.resolve({ error: 'its process ended in the middle of a round' }));
  await answering.promise;
  return {
    async run(round) {
      answering = Promise.withResolvers();
      child.send(round);
      const message = await answering.promise;
      if (message === 'ready') throw new Error(`${name} started again`);
      if ('error' in message) throw new Error(`${name}: ${message.error}`);
      return message;
    },
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}
