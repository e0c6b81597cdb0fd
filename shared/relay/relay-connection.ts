import type { Context, SQSRecord } from 'aws-lambda';
import type { Telemetry } from '../ports/telemetry.ts';
import type { RelayPolicy, RelayPorts } from './relay-ports.ts';

/** What the relay does with an entry that it could not place. */
export interface Parking {
  /** It is tried again after so many seconds. */
  comeBackIn(record: SQSRecord, seconds: number): Promise<void>;
  /** Puts a copy into the fallback queue, whose time begins now. */
  putAnew(record: SQSRecord): Promise<void>;
}

/** What the relay runs with. */
export interface RelayConnection {
  readonly ports: RelayPorts;
  readonly policy: RelayPolicy;
  readonly parking: Parking;
  readonly telemetry: Telemetry & { begin(context: Context): void; flush(): void };
}
