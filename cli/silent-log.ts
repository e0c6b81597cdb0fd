import type { Log } from '../shared/ports/telemetry.ts';

const nothing = () => undefined;

/** For commands that write their own output instead of a log. */
export const SILENT: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
