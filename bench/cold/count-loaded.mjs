// Preloaded: adds up the bytes of every file that is loaded, and tells them when the process ends.
import { writeSync } from 'node:fs';
import { registerHooks } from 'node:module';

const REPORT_FD = 3;
let bytes = 0;
let files = 0;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (url.startsWith('file:') && loaded.source !== undefined && loaded.source !== null) {
      bytes += Buffer.byteLength(loaded.source);
      files++;
    }
    return loaded;
  },
});

process.on('exit', () => writeSync(REPORT_FD, JSON.stringify({ bytes, files })));
