#!/usr/bin/env node
import { run } from './run.ts';

/** 128 and the number of SIGPIPE: the exit code of a shell for a program whose reader has gone. */
const READER_GONE = 141;

// `lockstep … | head`: the reader has enough. A transaction that has begun is committed or rolled back as a whole.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(READER_GONE);
    throw error;
  });
}

process.exitCode = await run(process.argv.slice(2));
