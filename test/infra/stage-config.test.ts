import { describe, expect, test } from 'vitest';
import { stageConfig } from '../../infra/stage-config.ts';

const NOTHING = {
  stage: undefined,
  clusterArn: undefined,
  creditCheckUrl: undefined,
  region: undefined,
  alarmEmail: undefined,
};
const CLUSTER_ARN = 'arn:aws:kafka:us-east-1:000000000000:cluster/local/uuid-1';

describe('the configuration of a stage', () => {
  test('local: the broker that the context names, and nothing is kept', () => {
    expect(stageConfig({ ...NOTHING, stage: 'local', clusterArn: CLUSTER_ARN })).toMatchObject({
      removal: 'destroy',
      ordersPartitions: 3,
      cluster: { type: 'loopback', clusterArn: CLUSTER_ARN },
    });
  });

  test('local hands on where credit is checked', () => {
    const config = stageConfig({
      ...NOTHING,
      stage: 'local',
      clusterArn: CLUSTER_ARN,
      creditCheckUrl: 'http://127.0.0.1:4000/',
    });
    expect(config.creditCheckUrl).toBe('http://127.0.0.1:4000/');
  });

  test('example: a made-up cluster with IAM, and everything is kept', () => {
    expect(stageConfig({ ...NOTHING, stage: 'example' })).toMatchObject({
      removal: 'retain',
      cluster: { type: 'existing', auth: 'iam' },
    });
  });

  test('cluster: a new cluster over three named zones of the region', () => {
    expect(stageConfig({ ...NOTHING, stage: 'cluster', region: 'us-west-2' }).cluster).toMatchObject({
      type: 'new',
      zones: ['us-west-2a', 'us-west-2b', 'us-west-2c'],
    });
  });

  test.each([
    [
      { stage: undefined },
      /STAGE_INVALID: stage `undefined` .*\nstage: .*"local" \| "demo" \| "example" \| "cluster"/s,
    ],
    [{ stage: 'prod' }, /stage: .*received "prod"/],
    [{ stage: 'local' }, /cluster\.clusterArn: pass the ARN of the cluster: -c clusterArn=/],
    [{ stage: 'local', clusterArn: 'orders' }, /cluster\.clusterArn: expected arn:aws:kafka:/],
    [{ stage: 'local', clusterArn: CLUSTER_ARN, creditCheckUrl: 'nowhere' }, /creditCheckUrl: Invalid URL/],
    [{ stage: 'cluster', region: 'Frankfurt' }, /cluster\.region: expected a region, as eu-central-1/],
  ])('refuses %o and says what was expected', (context, message) => {
    expect(() => stageConfig({ ...NOTHING, ...context })).toThrow(message);
  });
});
