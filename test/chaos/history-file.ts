import { open } from 'node:fs/promises';
import type { HandlerEvent } from './evidence.ts';

/** The handler's own history, read as it grows. */
export interface HistoryFile<E = HandlerEvent> {
  readonly path: string;
  readonly events: readonly E[];
  /** Different records that were handled. */
  handled(): number;
  /** Reads what was appended since. */
  read(): Promise<void>;
  close(): Promise<void>;
}

/** Makes the file, empty. */
export function openHistory(path: string): Promise<HistoryFile> {
  return openHistoryOf<HandlerEvent>(path, ({ partition, offset }) => `${partition}@${offset}`);
}

/** The same for other events. @param recordOf - names the record of an event */
export async function openHistoryOf<E extends Pick<HandlerEvent, 'what'>>(
  path: string,
  recordOf: (event: E) => string,
): Promise<HistoryFile<E>> {
  const file = await open(path, 'w+');
  const events: E[] = [];
  const handled = new Set<string>();
  const buffer = Buffer.alloc(1 << 20);
  let position = 0;
  let rest = '';
  let reading = Promise.resolve();
  const read = async (): Promise<void> => {
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      const lines = (rest + buffer.toString('latin1', 0, bytesRead)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const event: E = JSON.parse(line);
        events.push(event);
        if (event.what === 'done') handled.add(recordOf(event));
      }
    }
  };
  return {
    path,
    events,
    handled: () => handled.size,
    read: () => {
      reading = reading.then(read);
      return reading;
    },
    close: () => file.close(),
  };
}
