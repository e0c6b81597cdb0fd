/** One broker that is its own controller, plaintext, on loopback only. https://kafka.apache.org/41/documentation/#brokerconfigs */
export function kafkaServerProperties(options: {
  readonly port: number;
  readonly controllerPort: number;
  readonly dataFolder: string;
}): string {
  const settings: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${options.controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${options.port},CONTROLLER://127.0.0.1:${options.controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${options.port}`,
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': options.dataFolder,
    // After this time a broker that was killed may register again. The default is nine seconds.
    'broker.session.timeout.ms': 3_000,
    'broker.heartbeat.interval.ms': 500,
    // A topic that nobody created is a mistake and must cause an error, as on MSK.
    'auto.create.topics.enable': 'false',
    'num.partitions': 3,
    'default.replication.factor': 1,
    'min.insync.replicas': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 3,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 3,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    // Records with old timestamps, from tests and people, are not deleted while they are read. The data are deleted with the
    // run's folder.
    'log.retention.ms': -1,
    // The first member does not wait three seconds for others. Later members cause a rebalance.
    'group.initial.rebalance.delay.ms': 0,
    // Tests see the removal of a member without waiting six seconds.
    'group.min.session.timeout.ms': 500,
  };
  return `${Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`;
}
