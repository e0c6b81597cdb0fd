/**
 * What we use of kafkajs 2.2.4 below its public API. It has had no release since 2023, and the version is pinned.
 * https://github.com/tulios/kafkajs/tree/v2.2.4/src
 */
declare module 'kafkajs/src/cluster/index.js' {
  /** A request and how its answer is read. */
  interface Exchange<T> {
    readonly request: unknown;
    readonly response: {
      readonly decode: (payload: Buffer) => Promise<{ readonly clientSideThrottleTime: number; readonly answer: T }>;
      readonly parse: (decoded: { readonly answer: T }) => Promise<T>;
    };
    readonly requestTimeout?: number;
    readonly logResponseError?: boolean;
  }

  /** Requests of one connection that wait for their turn or their answer. */
  export interface RequestQueue {
    readonly pending: readonly unknown[];
    scheduleCheckPendingRequests(): void;
  }

  interface Connection {
    readonly requestQueue: RequestQueue;
    send<T>(exchange: Exchange<T>): Promise<T>;
  }

  interface ConnectionPool {
    readonly pool: readonly Connection[];
    getConnection(): Promise<Connection>;
  }

  interface Broker {
    readonly connectionPool: ConnectionPool;
  }

  export interface ClusterOptions {
    readonly metadataMaxAge?: number;
    readonly allowAutoTopicCreation: boolean;
  }

  export interface Cluster {
    readonly connectionPoolBuilder: { build: (broker?: object) => Promise<ConnectionPool> };
    connect(): Promise<void>;
    disconnect(): Promise<void>;
    addTargetTopic(topic: string): Promise<void>;
    refreshMetadata(): Promise<void>;
    /** Partitions by the node that leads them; without those that the topic does not have. */
    findLeaderForPartitions(topic: string, partitions: readonly number[]): Readonly<Record<string, readonly number[]>>;
    findBroker(which: { readonly nodeId: string }): Promise<Broker>;
    fetchTopicsOffset(
      topics: readonly {
        readonly topic: string;
        readonly partitions: readonly { readonly partition: number }[];
        readonly fromBeginning: boolean;
      }[],
    ): Promise<readonly { readonly partitions: readonly { readonly partition: number; readonly offset: string }[] }[]>;
  }
}

declare module 'kafkajs/src/protocol/requests/fetch/v11/request.js' {
  function fetchRequest(fetch: {
    readonly replicaId: -1;
    readonly maxWaitTime: number;
    readonly minBytes: number;
    readonly maxBytes: number;
    readonly isolationLevel: 0 | 1;
    readonly topics: readonly {
      readonly topic: string;
      readonly partitions: readonly {
        readonly partition: number;
        readonly fetchOffset: string;
        readonly maxBytes: number;
      }[];
    }[];
  }): unknown;
  export = fetchRequest;
}

declare module 'kafkajs/src/protocol/error.js' {
  const protocolErrors: { readonly createErrorFromCode: (code: number) => Error };
  export = protocolErrors;
}
