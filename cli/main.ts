#!/usr/bin/env node
import { run } from './run.ts';

/** 128 and the number of SIGPIPE, as a shell tells of a program whose reader has gone. */
const READER_GONE = 141;

// `lockstep … | head`: who reads has enough. What was begun is either committed or rolled back whole.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(READER_GONE);
    throw error;
  });
}

process.exitCode = await run(process.argv.slice(2));
