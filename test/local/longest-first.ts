import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Suites that take longest, the longest first: what begins last ends last. The others follow in the usual order. */
const LONGEST = [
  'package/users-app',
  'cloud/local-command',
  'cli/commands',
  'relay/relay',
  'chaos/chaos',
  'cloud/killed-function',
  'cli/redrive',
  'updates/update-in-flow',
  'patterns/stock',
  'patterns/ledger',
  'alarms/ledger-alarms',
  'event-source/what-kafka-holds',
  'patterns/shipments',
  'consumer/missing-grants',
  'alarms/queue-alarms',
  'verify/verify',
  'console/console',
  'cfn-lint',
  'consumer/interruptions',
  'alarms/relay-alarms',
  'alarms/record-alarms',
  'consumer/broker-outage',
  'alarms/broker-alarms',
  'consumer/kill',
].map((name) => `/test/local/${name}.test.ts`);

/** The usual order of test files, but for the longest of them. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const usual = await super.sort(files);
    const place = ({ moduleId }: TestSpecification) => {
      const index = LONGEST.findIndex((end) => moduleId.endsWith(end));
      return index < 0 ? LONGEST.length : index;
    };
    // Projects, and the groups that they are in, stay in their order.
    return [...new Set(usual.map(({ project }) => project))].flatMap((project) =>
      usual.filter((file) => file.project === project).sort((a, b) => place(a) - place(b)),
    );
  }
}
