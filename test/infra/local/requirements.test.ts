import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requireJava, requireMaven, requireOpenssl, requirePython } from '../../../infra/local/requirements.ts';

/** A machine with nothing but the given commands, each printing one line. */
function machineWith(commands: Record<string, string>): NodeJS.ProcessEnv {
  const bin = mkdtempSync(join(tmpdir(), 'machine-'));
  for (const [name, output] of Object.entries(commands)) {
    writeFileSync(join(bin, name), `#!/bin/sh\necho '${output}'\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return { PATH: bin };
}

test('what is missing is said with its version and how to install it', async () => {
  const bare = machineWith({});

  await expect(requireJava(bare)).rejects.toThrow(
    'Java 17 or later is missing. Debian, Ubuntu: apt install default-jre-headless. Fedora: dnf install java-latest-openjdk-headless. macOS: brew install openjdk.',
  );
  await expect(requireMaven(bare)).rejects.toThrow(
    'Maven 3.6 or later is missing. Debian, Ubuntu: apt install maven. Fedora: dnf install maven. macOS: brew install maven.',
  );
  await expect(requirePython(bare)).rejects.toThrow(
    'Python 3.10 or later is missing. Debian, Ubuntu: apt install python3 python3-venv. Fedora: dnf install python3. macOS: brew install python.',
  );
  await expect(requireOpenssl(bare)).rejects.toThrow(
    'OpenSSL 1.1.1 or later is missing. Debian, Ubuntu: apt install openssl. Fedora: dnf install openssl. macOS: brew install openssl.',
  );
});

test('what is too old is said with the version found', async () => {
  const old = machineWith({ java: 'openjdk version "11.0.22" 2024-01-16', python3: 'Python 3.9.2' });

  await expect(requireJava(old)).rejects.toThrow('Java 17 or later is too old: 11.0.22.');
  await expect(requirePython(old)).rejects.toThrow('Python 3.10 or later is too old: 3.9.2.');
});

test('versions are compared number by number', async () => {
  const machine = machineWith({
    java: 'openjdk version "21" 2023-09-19',
    mvn: 'Apache Maven 3.10.1 (x)',
    openssl: 'LibreSSL 3.3.6',
  });

  expect(await requireJava(machine)).toBe('java');
  expect(await requireMaven(machine)).toBe('mvn');
  expect(await requireOpenssl(machine)).toBe('openssl');
});

test('a newer Python is found by its own name when an old one is installed, too', async () => {
  const machine = machineWith({ python3: 'Python 3.9.6', 'python3.12': 'Python 3.12.4' });

  expect(await requirePython(machine)).toBe('python3.12');
});
