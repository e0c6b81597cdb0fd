import type { Context } from 'aws-lambda';
import type { ConsumerEnvironment } from './environment.ts';
import type { Ports } from './runtime/consumer.ts';
import type { PartitionReport } from './runtime/process-partition.ts';

/** What a consumer runs with, and who is told about it. */
export interface Connection {
  readonly ports: Ports;
  readonly environment: Pick<ConsumerEnvironment, 'consumerGroup' | 'failureMode'>;
  /** Before anything of an invocation happens. */
  begin(context: Context): void;
  /** The brokers that the event came from. */
  useBrokers(bootstrapServers: string): void;
  /** After an event was processed. */
  ended?(reports: readonly PartitionReport[]): void;
  /** After everything, whether it went well or not. */
  flush(): void;
}

/** Where a handler finds its connection: what is deployed, unless a test has put something else in its place. */
export class ConnectionHolder {
  readonly #connect: () => Promise<Connection>;
  #connected: Promise<Connection> | undefined;
  #override: Connection | undefined;

  constructor(connect: () => Promise<Connection>) {
    this.#connect = connect;
  }

  /** Connects on first use. A failure is not kept: the next invocation tries again. */
  current(): Promise<Connection> {
    if (this.#override !== undefined) return Promise.resolve(this.#override);
    this.#connected ??= this.#connect().catch((error: unknown) => {
      this.#connected = undefined;
      throw error;
    });
    return this.#connected;
  }

  /** Runs `work` with another connection in place. */
  async during<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
    this.#override = connection;
    try {
      return await work();
    } finally {
      this.#override = undefined;
    }
  }
}

const holders = new WeakMap<object, ConnectionHolder>();

/** Remembers whose holder this is, for tests of that handler. */
export function rememberHolder(handler: object, holder: ConnectionHolder): void {
  holders.set(handler, holder);
}

/** The holder of a handler that lockstepConsumer made; `undefined` for any other. */
export function holderOf(handler: object): ConnectionHolder | undefined {
  return holders.get(handler);
}
