import kafkajs, { type Admin } from 'kafkajs';

// No named export to Node: kafkajs is CommonJS.
const { ConfigResourceTypes } = kafkajs;

/** What a topic is told to make it refuse every record: for want of replicas, which passes, or for its size, which does not. */
const REFUSALS = {
  tooFewReplicas: { name: 'min.insync.replicas', value: '2' },
  tooLarge: { name: 'max.message.bytes', value: '64' },
} as const;

/** DescribeConfigs: set for this topic, as opposed to a default. */
const TOPIC_CONFIG = 1;

/** Lets a topic refuse whatever is sent to it. @returns what ends that */
export async function refuseRecords(
  admin: Admin,
  topic: string,
  how: keyof typeof REFUSALS,
): Promise<() => Promise<void>> {
  const resource = { type: ConfigResourceTypes.TOPIC, name: topic };
  const { resources } = await admin.describeConfigs({ resources: [resource], includeSynonyms: false });
  // A request sets all of a topic's own settings: those that it had are said again.
  const own = (resources[0]?.configEntries ?? [])
    .filter(({ configSource }) => Number(configSource) === TOPIC_CONFIG)
    .map(({ configName, configValue }) => ({ name: configName, value: configValue }));
  const set = async (configEntries: { name: string; value: string }[]) => {
    await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries }] });
  };
  const refusal = REFUSALS[how];
  await set([...own.filter(({ name }) => name !== refusal.name), refusal]);
  return () => set(own);
}
