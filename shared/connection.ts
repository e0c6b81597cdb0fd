import type { Context } from 'aws-lambda';
import type { Deployment } from './deployment.ts';
import type { ConsumerEnvironment } from './environment.ts';
import type { Ports } from './runtime/consumer.ts';
import type { PartitionReport } from './runtime/process-partition.ts';

/** What a consumer runs with, and the hooks around an invocation. */
export interface Connection {
  readonly ports: Ports;
  readonly environment: Pick<ConsumerEnvironment, 'consumerGroup' | 'failureMode'>;
  /** What the construct says; `undefined` where a test delivers its own events. */
  readonly deployment: Deployment | undefined;
  /** Called before an invocation does anything. */
  begin(context: Context): void;
  /** Called after an event was processed. */
  ended?(reports: readonly PartitionReport[]): void;
  /** Called last, whether the invocation went well or not. */
  flush(): void;
}

/** Where a handler finds its connection: the deployed one, unless a test has set another for one invocation. */
export class ConnectionHolder {
  readonly #connect: () => Promise<Connection>;
  readonly #ofTests = new WeakMap<Context, Connection>();
  #connected: Promise<Connection> | undefined;
  /** Resolves the handler's options, for synth, which looks at them without an invocation. */
  check?: (connection: Connection) => unknown;

  constructor(connect: () => Promise<Connection>) {
    this.#connect = connect;
  }

  /** Connects on first use. A failure is not kept: the next invocation tries again. */
  current(context: Context): Promise<Connection> {
    const ofTest = this.#ofTests.get(context);
    if (ofTest !== undefined) return Promise.resolve(ofTest);
    this.#connected ??= this.#connect().catch((error: unknown) => {
      this.#connected = undefined;
      throw error;
    });
    return this.#connected;
  }

  /** Runs an invocation with another connection, so that tests can run side by side. */
  async during<R>(context: Context, connection: Connection, invoke: () => Promise<R>): Promise<R> {
    this.#ofTests.set(context, connection);
    try {
      return await invoke();
    } finally {
      // A weak map keeps its values until a full collection: all that the stores of a test hold.
      this.#ofTests.delete(context);
    }
  }
}

/** Shared by all copies of this package in a process: a test may load `lockstep/testing` from another one than the handler. */
const HOLDER = Symbol.for('lockstep.holder');

/** Remembers the holder of a handler, for tests of that handler. */
export function rememberHolder(handler: object, holder: ConnectionHolder): void {
  Object.defineProperty(handler, HOLDER, { value: holder });
}

/**
 * Invokes a handler with another connection than the deployed one, as tests do.
 *
 * @throws TypeError for a handler that lockstepConsumer did not make
 */
export async function invokeWith<E, R>(
  handler: (event: E, context: Context) => Promise<R>,
  connection: Connection,
  event: E,
  context: Context,
): Promise<R> {
  const holder: ConnectionHolder | undefined = Reflect.get(handler, HOLDER);
  if (holder === undefined) throw new TypeError('expected a handler that lockstepConsumer returned');
  return holder.during(context, connection, () => handler(event, context));
}
