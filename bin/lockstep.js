#!/usr/bin/env node
// Nothing is imported before this: on an older Node an import would end in an error that does not say which Node is needed.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(`lockstep needs Node.js 22.18 or later; this is Node.js ${process.versions.node}.\n`);
  process.exit(1);
}
// In the repository the sources run as they are. The package leaves the commands to lockstep-tools.
const { existsSync } = await import('node:fs');
const sources = new URL('../cli/main.ts', import.meta.url);
try {
  await import(existsSync(sources) ? sources.href : 'lockstep-tools/main');
} catch (error) {
  const [, missing] = /^Cannot find package '([^']+)'/.exec(error.message) ?? [];
  if (error.code !== 'ERR_MODULE_NOT_FOUND' || missing === undefined) throw error;
  process.stderr.write(
    `✖ The package ${missing} is not installed. The commands need lockstep-tools. Run: npm install --save-dev lockstep-tools\n`,
  );
  process.exit(1);
}
