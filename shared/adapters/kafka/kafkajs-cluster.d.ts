/**
 * What reading by offset uses of kafkajs 2.2.4 below its public face, which reads only as a member of a consumer group.
 * https://github.com/tulios/kafkajs/tree/v2.2.4/src
 */
declare module 'kafkajs/src/cluster/index.js' {
  import type { ISocketFactory, KafkaConfig, Logger } from 'kafkajs';

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

  interface Connection {
    send<T>(exchange: Exchange<T>): Promise<T>;
  }

  interface Broker {
    readonly connectionPool: { getConnection(): Promise<Connection> };
  }

  interface ClusterOptions extends Omit<KafkaConfig, 'logLevel' | 'logCreator' | 'socketFactory'> {
    readonly logger: Logger;
    readonly socketFactory: ISocketFactory;
    readonly metadataMaxAge: number;
    readonly allowAutoTopicCreation: boolean;
    /** 1: committed transactions only. */
    readonly isolationLevel: 0 | 1;
  }

  class Cluster {
    constructor(options: ClusterOptions);
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
  export = Cluster;
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
