import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Suites that take longest, the longest first: what begins last ends last. The others follow in the usual order. */
const LONGEST = [
  'patterns/stock',
  'patterns/ledger',
  'package/users-app',
  'cloud/local-command',
  'chaos/chaos',
  'cli/commands',
  'cli/redrive',
  'relay/relay',
  'updates/update-in-flow',
  'alarms/record-alarms',
  'alarms/broker-alarms',
  'alarms/ledger-alarms',
  'alarms/queue-alarms',
  'consumer/broker-outage',
  'consumer/missing-grants',
  'cfn-lint',
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
