import type { Context, SQSRecord } from 'aws-lambda';
import type { Telemetry } from '../ports/telemetry.ts';
import type { RelayPolicy, RelayPorts } from './relay-ports.ts';

/** What the relay does with a message that it could not move. */
export interface Parking {
  /** SQS delivers it again after this many seconds. */
  comeBackIn(record: SQSRecord, seconds: number): Promise<void>;
  /** Sends a copy to the fallback queue, whose retention time starts now. */
  putAnew(record: SQSRecord): Promise<void>;
}

/** What the relay runs with. */
export interface RelayConnection {
  readonly ports: RelayPorts;
  readonly policy: RelayPolicy;
  readonly parking: Parking;
  readonly telemetry: Telemetry & { begin(context: Context): void; flush(): void };
}
