#!/usr/bin/env node
// Nothing is imported before this: on an older Node an import would end in an error that does not say which Node is needed.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(`lockstep needs Node.js 22.18 or later; this is Node.js ${process.versions.node}.\n`);
  process.exit(1);
}
// In the repository the sources run as they are. The package leaves the commands to lockstep-tools.
const { existsSync, readFileSync } = await import('node:fs');
const sources = new URL('../cli/main.ts', import.meta.url);
const versionIn = (file) => JSON.parse(readFileSync(new URL(file), 'utf8')).version;
const fail = (line) => {
  process.stderr.write(`✖ ${line}\n`);
  process.exit(1);
};
try {
  if (existsSync(sources)) await import(sources.href);
  else {
    const tools = versionIn(import.meta.resolve('lockstep-tools/package.json'));
    const own = versionIn(new URL('../package.json', import.meta.url));
    if (tools !== own) {
      const remedy = `Run: npm install --save-dev lockstep-tools@${own}`;
      fail(`lockstep is ${own}, and lockstep-tools is ${tools}. They need the same version. ${remedy}`);
    }
    await import('lockstep-tools/main');
  }
} catch (error) {
  const [, missing] = /^Cannot find package '([^']+)'/.exec(error.message) ?? [];
  if (error.code !== 'ERR_MODULE_NOT_FOUND' || missing === undefined) throw error;
  const remedy = 'Run: npm install --save-dev lockstep-tools';
  fail(`The package ${missing} is not installed. The commands need lockstep-tools. ${remedy}`);
}
