import type { CloudDescription } from './cloud-description.ts';
import { LOCAL_ACCOUNT } from './local-endpoint.ts';

/** What a person needs to know to use the local cloud. @param file - where tools read the same */
export function describeCloud(description: CloudDescription, file: string): string {
  const { endpoint, bootstrapServers, deployed, toolsClassPath, runFolder } = description;
  const consumers = deployed.consumers.map(({ name, topic, deadLetterTopic, mapping }) => {
    const letters = deadLetterTopic ? `, dead letters on ${deadLetterTopic.topicName}` : '';
    return `    ${name}: reads ${topic.topicName} as group ${mapping.consumerGroupId}${letters}`;
  });
  return [
    '',
    'The local cloud is up. Ctrl-C ends it.',
    `  Kafka      ${bootstrapServers}`,
    `  AWS APIs   ${endpoint.url} (account ${LOCAL_ACCOUNT}, region ${endpoint.region})`,
    `             AWS_ENDPOINT_URL=${endpoint.url} AWS_CA_BUNDLE=${endpoint.certificateFile}`,
    `             AWS_ACCESS_KEY_ID=${endpoint.credentials.accessKeyId}, its secret is in the file below`,
    '  Console    npx lockstep console --local',
    `  Logs       ${runFolder}`,
    `  For tools  ${file}`,
    '  Consumers',
    ...consumers,
    ...kafkaTools(bootstrapServers, toolsClassPath, deployed.consumers[0]),
    '',
  ].join('\n');
}

type Named = {
  readonly topic: { readonly topicName: string };
  readonly deadLetterTopic?: { readonly topicName: string };
};

function kafkaTools(bootstrapServers: string, classPath: string | undefined, consumer: Named | undefined): string[] {
  if (classPath === undefined || consumer === undefined) return [];
  const java = `java -cp '${classPath}'`;
  const letters = consumer.deadLetterTopic?.topicName ?? consumer.topic.topicName;
  return [
    '',
    "  Produce records with Kafka's own console tool, one `key:value` a line:",
    `    ${java} org.apache.kafka.tools.ConsoleProducer --bootstrap-server ${bootstrapServers} --topic ${consumer.topic.topicName} \\`,
    '      --property parse.key=true --property key.separator=:',
    '  Read dead letters:',
    `    ${java} org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server ${bootstrapServers} --topic ${letters} \\`,
    '      --from-beginning --property print.key=true --property print.headers=true',
  ];
}
