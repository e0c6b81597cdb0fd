import type { IHeaders } from 'kafkajs';
import type { RecordHeader } from '../../ports/dead-letter-publisher.ts';

/**
 * Headers for kafkajs, with order and duplicates kept. kafkajs takes an object, in which a name is there once and names such as
 * `7` come first. But where a name has several values, its encoder maps over them and takes the pairs that it gets. So one name
 * stands for all headers, and its mapping returns them as they are.
 * https://github.com/tulios/kafkajs/blob/v2.2.4/src/protocol/recordBatch/record/v0/index.js
 */
export function kafkaJsHeaders(headers: readonly RecordHeader[]): IHeaders {
  if (headers.length === 0) return {};
  const inOrder: Buffer[] = [];
  const pairs = headers.map(({ name, value }) => ({ key: name, value }));
  Object.defineProperty(inOrder, 'map', { value: () => pairs });
  return { inOrder };
}
