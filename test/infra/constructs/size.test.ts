import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { LockstepConsumer } from '../../../infra/constructs/lockstep-consumer.ts';
import { CLUSTER, ENTRY } from '../synth.ts';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
const [RESOURCES, OUTPUTS, PARAMETERS] = [500, 200, 200];

test('25 consumers with all their functions fit into one stack, and their alarms into nested ones', () => {
  const stack = new Stack(new App({ context: { 'aws:cdk:bundling-stacks': [] } }), 'Shop');
  const consumers = Array.from(
    { length: 25 },
    (_, index) =>
      new LockstepConsumer(stack, `Consumer${index}`, {
        cluster: CLUSTER,
        topic: `topic-${index}`,
        entry: ENTRY,
        checkHandler: false,
      }),
  );
  const size = (one: Stack) => {
    const { Resources, Outputs = {}, Parameters = {} } = Template.fromStack(one).toJSON();
    return [Resources, Outputs, Parameters].map((part) => Object.keys(part).length);
  };

  const [resources = 0, outputs = 0] = size(stack);
  expect(resources).toBeLessThan(RESOURCES);
  expect(outputs).toBeLessThan(OUTPUTS);
  // What remains is for what a user adds.
  expect(resources).toBe(18 * 25 + 2);
  expect(outputs).toBe(25);

  const [alarms = 0, , parameters = 0] = size(Stack.of(consumers[0]?.alarms.all[0]?.alarm ?? stack));
  expect(alarms).toBe(10);
  expect(parameters).toBeLessThan(PARAMETERS);
});
