#!/usr/bin/env node
// In the repository the sources run as they are; in the package, what was compiled from them.
import { existsSync } from 'node:fs';

const sources = new URL('../cli/main.ts', import.meta.url);
await import(existsSync(sources) ? sources.href : new URL('../dist/cli/main.js', import.meta.url).href);
