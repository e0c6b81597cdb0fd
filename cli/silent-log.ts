import type { Log } from '../shared/ports/telemetry.ts';

const nothing = () => undefined;

/** For whoever speaks by other means than a log. */
export const SILENT: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
