import type { CloudDescription } from './cloud-description.ts';
import { LOCAL_ACCOUNT } from './local-endpoint.ts';

/** Where else the local cloud can be looked at. */
export interface CloudPlaces {
  /** Where tools read the same. */
  readonly file: string;
  /** Address of its console. */
  readonly page: string;
}

/** What a person needs to know to use the local cloud. */
export function describeCloud(description: CloudDescription, { file, page }: CloudPlaces): string {
  const { endpoint, bootstrapServers, deployed, runFolder } = description;
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
    `  Console    ${page}`,
    `  Logs       ${runFolder}`,
    `  For tools  ${file}`,
    '  Consumers',
    ...consumers,
    '',
    '  In another terminal, in the same folder:',
    `    npx lockstep produce ${deployed.consumers[0]?.topic.topicName} --key k-1 --value '{}'`,
    '    npx lockstep status --local',
    '',
  ].join('\n');
}
