import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type ISocketFactory, type Kafka, type KafkaConfig, type LogEntry, logLevel } from 'kafkajs';
import type { Log } from '../../ports/telemetry.ts';
import { CONNECT_TIMEOUT_MS, type KafkaConnectionOptions, REQUEST_TIMEOUT_MS } from './kafka-connection.ts';
import { kafkaSecurity } from './kafka-security.ts';
import { kafkaJsClient } from './kafkajs-client.ts';

/** Milliseconds that a client has to close cleanly. Then its sockets are closed. */
const GOODBYE_MS = 250;

/** How a socket is opened. The default is kafkajs's own way; tests use others. */
export type OpenSocket = ISocketFactory;

/**
 * One kafkajs client that can be closed completely. kafkajs itself waits for requests that hang, connects again after a
 * disconnect, and leaves sockets open; Lambda would freeze the process with all of that. It repeats nothing by itself, since
 * only its caller knows the deadline.
 */
export class KafkaJsSession {
  readonly kafka: Kafka;
  readonly #options: KafkaConnectionOptions;
  readonly #sockets = new Set<Socket>();
  #isClosed = false;

  private constructor(options: KafkaConnectionOptions, security: Partial<KafkaConfig>, turn: number, open: OpenSocket) {
    const { clientId = 'lockstep', connectTimeoutMs, requestTimeoutMs } = options;
    this.#options = options;
    this.kafka = kafkaJsClient({
      clientId,
      brokers: rotated(brokerList(options), turn),
      ...security,
      connectionTimeout: connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      authenticationTimeout: connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      requestTimeout: requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      retry: { retries: 0 },
      socketFactory: (where) => this.#track(open, where),
      logLevel: logLevel.WARN,
      logCreator: () => (entry) => this.#log(options.log, entry),
    });
  }

  /**
   * @param turn - counts connections: each starts with another broker of the list
   * @throws LockstepError BROKER_UNREACHABLE where the credentials cannot be read
   */
  static async open(
    options: KafkaConnectionOptions,
    turn: number,
    openSocket: OpenSocket = defaultSocket,
  ): Promise<KafkaJsSession> {
    const { ssl, sasl } = await kafkaSecurity(options.authentication);
    return new KafkaJsSession(options, { ssl, ...(sasl !== undefined && { sasl }) }, turn, openSocket);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Closes everything at once: waiting requests are rejected, nothing connects again, no timer is left. */
  close(): void {
    this.#isClosed = true;
    // With an error, since only that makes kafkajs give up its waiting requests and stop its timers.
    for (const socket of this.#sockets) socket.destroy(new Error('the connection was given up'));
    this.#sockets.clear();
  }

  /** Lets `goodbye` run, for at most a quarter of a second, then closes. Never rejects. */
  async end(goodbye: () => Promise<void>): Promise<void> {
    const patience = new AbortController();
    const ended = goodbye().catch(() => undefined);
    await Promise.race([ended, this.#options.clock.sleep(GOODBYE_MS, patience.signal)]);
    patience.abort();
    this.close();
  }

  #track(open: OpenSocket, where: Parameters<OpenSocket>[0]): Socket {
    // kafkajs connects again by itself after a failure, even when nothing waits for it any more.
    if (this.#isClosed) throw new Error('the connection was given up');
    const socket = open(where);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }

  /** kafkajs's errors are logged as debug lines: they are retried here, or thrown and logged by the caller. */
  #log(log: Log, { namespace, log: { message, broker, error, retryCount } }: LogEntry): void {
    if (!this.#isClosed) log.debug(`kafkajs: ${message}`, { namespace, broker, error, retryCount });
  }
}

/** Like kafkajs: https://github.com/tulios/kafkajs/blob/v2.2.4/src/network/socketFactory.js */
function defaultSocket({ host, port, ssl, onConnect }: Parameters<OpenSocket>[0]): Socket {
  const socket = ssl
    ? connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }), ...ssl }, onConnect)
    : connectPlain({ host, port }, onConnect);
  return socket.setKeepAlive(true, 60_000);
}

/** The brokers of the connection, never empty. */
export function brokerList({ brokers }: KafkaConnectionOptions): readonly string[] {
  return brokers()
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '');
}

function rotated(brokers: readonly string[], turn: number): string[] {
  const at = brokers.length === 0 ? 0 : turn % brokers.length;
  return [...brokers.slice(at), ...brokers.slice(0, at)];
}
