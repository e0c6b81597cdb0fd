import { Logger } from '@aws-lambda-powertools/logger';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { lambdaContext } from '../../../bench/measure/lambda-context.ts';
import { logLines } from '../../../shared/adapters/log-lines.ts';
import type { LogFields } from '../../../shared/ports/telemetry.ts';

const AT = Date.UTC(2026, 10, 21, 19, 0, 0, 7);
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

interface Written {
  readonly level: string;
  readonly line: string;
}

type Variables = Readonly<Record<string, string>>;

function ours(variables: Variables = {}) {
  const written: Written[] = [];
  const take = (level: string) => (line: string) => void written.push({ level, line });
  const writer = { debug: take('debug'), info: take('info'), warn: take('warn'), error: take('error') };
  return { written, ...logLines({ service: 'orders', variables, clock: { now: () => AT }, writer }) };
}

/** Powertools' Logger in the same place at the same time. */
function theirs(variables: Variables = {}) {
  vi.useFakeTimers({ now: AT, toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  const logger = new Logger({ serviceName: 'orders' });
  const written: Written[] = [];
  for (const level of LEVELS)
    Object.assign(Reflect.get(logger, 'console'), {
      // We sample nothing.
      [level]: (line: string) => written.push({ level, line: line.replace(',"sampling_rate":0', '') }),
    });
  return { written, logger };
}

class OrderRefused extends Error {
  readonly code = 'ORDER_REFUSED';
  readonly reasons = [{ index: 0, amount: 12n }];
}

const CIRCLE: Record<string, unknown> = { name: 'circle' };
CIRCLE['within'] = { itself: CIRCLE };

describe('a line is what Powertools writes', () => {
  test.each<readonly [string, LogFields | undefined]>([
    ['without fields', undefined],
    ['with fields', { topic: 'orders', partition: 3, offset: 1_042, attempt: 1, nested: { a: [1, { b: null }] } }],
    ['with fields that say nothing', { topic: '', partition: 0, offset: null, traceparent: undefined, ok: false }],
    ['with big integers', { offset: 9_007_199_254_740_993n, all: [1n] }],
    ['with an error', { error: new TypeError('not a string') }],
    [
      'with an error that has a cause and fields of its own',
      { error: new OrderRefused('no', { cause: new Error('why') }) },
    ],
    ['with an error without a stack', { error: Object.assign(new Error('bare'), { stack: undefined }) }],
    ['with something else that was thrown', { error: 'a text' }],
    ['with what contains itself', { circle: CIRCLE, again: CIRCLE }],
    ['with one thing twice', { first: { a: 1 }, both: [LEVELS, LEVELS] }],
  ])('%s', (_, fields) => {
    const { logger, written } = theirs();
    const lines = ours();

    for (const level of LEVELS) {
      lines.log[level]('what happened', fields);
      logger[level]('what happened', ...(fields === undefined ? [] : [{ ...fields }]));
    }

    expect(lines.written).toEqual(written);
    expect(lines.written.map(({ level }) => level)).toEqual(['info', 'warn', 'error']);
  });

  test.each(['on-demand', 'provisioned-concurrency'])('with the names of its invocation, %s', (type) => {
    const variables = {
      AWS_LAMBDA_INITIALIZATION_TYPE: type,
      _X_AMZN_TRACE_ID: 'Self=1-a;Root=1-5759e988-bd862e3fe1be46a994272793;Parent=557abcec3ee5a047;Sampled=1',
    };
    const { logger, written } = theirs(variables);
    const lines = ours(variables);

    for (const request of ['request-1', 'request-2']) {
      lines.begin({ ...lambdaContext(request), memoryLimitInMB: '512', tenantId: 'blue' });
      logger.addContext({ ...lambdaContext(request), memoryLimitInMB: '512', tenantId: 'blue' });
      lines.log.warn('what happened', { topic: 'orders' });
      logger.warn('what happened', { topic: 'orders' });
    }

    expect(lines.written.map(({ line }) => JSON.parse(line))).toEqual(written.map(({ line }) => JSON.parse(line)));
    expect(lines.written).toHaveLength(2);
  });

  test.each([
    [{ POWERTOOLS_LOG_LEVEL: 'DEBUG' }],
    [{ LOG_LEVEL: 'TRACE' }],
    [{ POWERTOOLS_LOG_LEVEL: 'WARN', LOG_LEVEL: 'DEBUG' }],
    [{ AWS_LAMBDA_LOG_LEVEL: 'ERROR' }],
    [{ AWS_LAMBDA_LOG_LEVEL: 'FATAL', POWERTOOLS_LOG_LEVEL: 'CRITICAL' }],
    [{ POWERTOOLS_LOG_LEVEL: 'SILENT' }],
    [{ POWERTOOLS_LOG_LEVEL: 'LOUD' }],
  ])('or nothing, by its level: %o', (variables) => {
    const { logger, written } = theirs(variables);
    const lines = ours(variables);

    for (const level of LEVELS) {
      lines.log[level]('what happened');
      logger[level]('what happened');
    }

    expect(lines.written).toEqual(written);
  });
});

test('fields never take the place of what names the line', () => {
  const lines = ours();

  lines.log.info('what happened', { level: 'LOUD', message: 'something else', service: 'payments', timestamp: 0 });

  expect(lines.written).toEqual([
    {
      level: 'info',
      line: '{"level":"INFO","message":"what happened","timestamp":"2026-11-21T19:00:00.007Z","service":"orders"}',
    },
  ]);
});

test('an error that is its own cause is written once', () => {
  const lines = ours();
  const error = new Error('round');
  error.cause = error;

  lines.log.error('what happened', { error });

  expect(JSON.parse(lines.written[0]?.line ?? '')).toMatchObject({ error: { name: 'Error', message: 'round' } });
  expect(JSON.parse(lines.written[0]?.line ?? '').error).not.toHaveProperty('cause');
});
