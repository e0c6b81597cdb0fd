import type { Context } from 'aws-lambda';
import type { Clock } from '../ports/clock.ts';
import type { Log, LogFields } from '../ports/telemetry.ts';

/** Takes lines, as a console does. */
export type LineWriter = Readonly<Record<keyof Log, (line: string) => void>>;

/** A log, and what names the invocation on its lines. */
export interface LogLines {
  readonly log: Log;
  begin(context: Context): void;
}

/** What a log is written with. */
export interface LogLinesOptions {
  readonly service: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly clock: Pick<Clock, 'now'>;
  readonly writer: LineWriter;
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
/** Into {@link LEVELS}: the first that is written. */
const LOWEST: Readonly<Record<string, number>> = {
  TRACE: 0,
  DEBUG: 0,
  INFO: 1,
  WARN: 2,
  ERROR: 3,
  CRITICAL: LEVELS.length,
  FATAL: LEVELS.length,
  SILENT: LEVELS.length,
};
const DEFAULT_LOWEST = 1;

/**
 * Writes one JSON object a line, with the levels, the names of fields and the form of errors of Powertools' Logger, which its test
 * compares it with: that would be 23 KB of code which every cold start reads, to write a line that most invocations never write.
 *
 * @param options.variables - the environment: `AWS_LAMBDA_LOG_LEVEL` (Lambda's own setting), else `POWERTOOLS_LOG_LEVEL`, else
 * `LOG_LEVEL` says from which level on lines are written. @default INFO
 */
export function logLines({ service, variables, clock, writer }: LogLinesOptions): LogLines {
  const lowest = lowestLevel(variables);
  let isCold = variables['AWS_LAMBDA_INITIALIZATION_TYPE'] === 'on-demand';
  let invocation: LogFields = {};
  const line = (level: (typeof LEVELS)[number]) => (message: string, fields?: LogFields) => {
    if (LEVELS.indexOf(level) < lowest) return;
    const own = {
      level: level.toUpperCase(),
      message,
      timestamp: new Date(clock.now()).toISOString(),
      service,
      ...invocation,
      xray_trace_id: traceId(variables['_X_AMZN_TRACE_ID']),
    };
    writer[level](JSON.stringify(withoutEmpty({ ...own, ...fields, ...own }), asLogged()));
  };
  return {
    log: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
    begin: ({ invokedFunctionArn, memoryLimitInMB, functionName, awsRequestId, tenantId }) => {
      invocation = {
        cold_start: isCold,
        function_arn: invokedFunctionArn,
        function_memory_size: memoryLimitInMB,
        function_name: functionName,
        function_request_id: awsRequestId,
        tenant_id: tenantId,
      };
      isCold = false;
    },
  };
}

function lowestLevel(variables: LogLinesOptions['variables']): number {
  const names = ['AWS_LAMBDA_LOG_LEVEL', 'POWERTOOLS_LOG_LEVEL', 'LOG_LEVEL'];
  const [lowest = DEFAULT_LOWEST] = names.flatMap((name) => LOWEST[variables[name] ?? ''] ?? []);
  return lowest;
}

/** https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
function traceId(header = ''): string | undefined {
  return header.includes('=') ? /(?:^|;)Root=([^;]*)/.exec(header)?.[1] : header;
}

function withoutEmpty(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null && value !== ''),
  );
}

/** Errors with all they have, big integers as text; what contains itself is left out where it does. */
function asLogged() {
  const within: { readonly value: unknown; readonly logged: unknown }[] = [];
  return function (this: unknown, _key: string, value: unknown): unknown {
    if (typeof value === 'bigint') return String(value);
    if (typeof value !== 'object' || value === null) return value;
    while (within.length > 0 && within.at(-1)?.logged !== this) within.pop();
    if (within.some((outer) => outer.value === value)) return undefined;
    const logged = value instanceof Error ? errorFields(value) : value;
    within.push({ value, logged });
    return logged;
  };
}

function errorFields(error: Error): LogFields {
  const { name, message, stack, cause, ...rest } = error;
  const location = /\(([^()]*:\d+):\d+\)\\?$/m.exec(stack ?? '')?.[1] ?? '';
  return { name, location, message, stack, cause, ...rest };
}
