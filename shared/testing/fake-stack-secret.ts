import type { StackSecret } from '../ports/stack-secret.ts';

/** The secret of stacks in memory. */
export const FAKE_SECRET: Buffer = Buffer.alloc(32, 'a secret of tests');

/** Answers with {@link FAKE_SECRET}. */
export const fakeStackSecret: StackSecret = async () => FAKE_SECRET;
