import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { Agent, get } from 'node:https';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { makeCertificate } from './certificate.ts';
import { download } from './downloads.ts';
import { freePorts } from './free-ports.ts';
import { spawnGuarded } from './guard.ts';
import { LocalCloudError } from './local-cloud-error.ts';
import { type LocalEndpoint, randomCredentials } from './local-endpoint.ts';
import { createRunFolder, makeTemporaryFolder } from './local-folder.ts';
import { requirePython } from './requirements.ts';
import { startWithOtherPorts, untilReady } from './until-ready.ts';

const run = promisify(execFile);

/** https://pypi.org/project/ministack/, pinned with all that it needs. */
const REQUIREMENTS = join(import.meta.dirname, 'ministack-requirements.txt');
const REGION = 'us-east-1';
const READY_WITHIN_MS = 60_000;

export interface MiniStackOptions {
  /** Where its certificate, log and temporary files go. @default a run folder of its own */
  readonly runFolder?: string;
  /** What the MSK API names as any cluster's brokers. @default none: such a request fails */
  readonly kafkaBootstrapServers?: string;
  /** Called when it ends once it was ready, and nobody has stopped it; with its last words. */
  readonly onDeath?: (lastWords: string) => void;
}

/** AWS's APIs on this machine. */
export interface MiniStack {
  readonly endpoint: LocalEndpoint;
  readonly logFile: string;
  stop(): Promise<void>;
}

/**
 * Starts MiniStack, empty, over TLS on 127.0.0.1, permissions enforced: each function has only its own role's rights. It takes
 * requests that are signed with this run's credentials, and no others: `ministack_door.py`.
 * The first call on a machine downloads it into a virtual environment of its own.
 *
 * @throws LocalCloudError if Python or OpenSSL is missing, or it does not come up; the text has its last words
 */
export async function startMiniStack(options: MiniStackOptions = {}): Promise<MiniStack> {
  const python = await miniStackPython();
  const folder = options.runFolder ?? (await createRunFolder());
  const { certificateFile, keyFile } = await makeCertificate(folder);
  return startWithOtherPorts(async () => {
    const temporary = await makeTemporaryFolder(folder);
    const credentials = randomCredentials();
    const [port = 0] = await freePorts(1);
    const logFile = join(folder, `ministack-${port}.log`);
    const settings = {
      // Functions run in worker processes of the `node` found on its PATH: this one.
      PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
      HOME: process.env['HOME'],
      GATEWAY_PORT: String(port),
      MINISTACK_HOST: '127.0.0.1',
      MINISTACK_REGION: REGION,
      AUTH: 'true',
      // The secret is for `ministack_app`, which takes it out of what functions inherit.
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      LOCKSTEP_ROOT_SECRET: credentials.secretAccessKey,
      USE_SSL: '1',
      MINISTACK_SSL_CERT: certificateFile,
      MINISTACK_SSL_KEY: keyFile,
      NODE_EXTRA_CA_CERTS: certificateFile,
      LOG_LEVEL: 'WARNING',
      // Where `ministack_app` is.
      PYTHONPATH: import.meta.dirname,
      PYTHONDONTWRITEBYTECODE: '1',
      TMPDIR: temporary,
      STATE_DIR: join(temporary, 'state'),
      S3_DATA_DIR: join(temporary, 's3'),
      ...(options.kafkaBootstrapServers && { MINISTACK_MSK_BOOTSTRAP: options.kafkaBootstrapServers }),
    };
    // Served by hypercorn as its container image does: its own start-up command takes port 443 as well where it may.
    const serving = ['-m', 'hypercorn', 'ministack_app:app', '--workers', '0', '--keep-alive', '75'];
    const tls = ['--certfile', certificateFile, '--keyfile', keyFile, '--bind', `127.0.0.1:${port}`];
    const server = spawnGuarded(python, [...serving, ...tls, '--log-level', 'WARNING'], {
      env: settings,
      output: logFile,
    });
    const endpoint: LocalEndpoint = { url: `https://127.0.0.1:${port}`, region: REGION, certificateFile, credentials };
    const ca = await readFile(certificateFile, 'utf8');
    let isStopped = false;
    const stop = async () => {
      isStopped = true;
      await server.stop();
      await rm(temporary, { recursive: true, force: true });
    };
    try {
      await untilReady('MiniStack', server, () => answers(`${endpoint.url}/_ministack/ready`, ca), READY_WITHIN_MS);
    } catch (error) {
      await stop();
      throw error;
    }
    void server.exited.then(() => {
      if (!isStopped) options.onDeath?.(server.lastLines(3));
    });
    return { endpoint, logFile, stop };
  });
}

/** The Python that has MiniStack. The first call on a machine downloads it. */
export async function miniStackPython(): Promise<string> {
  const venv = await download('ministack', await readFile(REQUIREMENTS, 'utf8'), installMiniStack);
  return join(venv, 'bin', 'python');
}

async function installMiniStack(folder: string): Promise<void> {
  const python = await requirePython();
  await run(python, ['-m', 'venv', folder]).catch((error: { stdout?: string }) => {
    throw new LocalCloudError(
      `${python} cannot make a virtual environment. Debian, Ubuntu: apt install python3-venv. macOS: brew install python. ${error.stdout ?? ''}`,
    );
  });
  // Nothing without a hash, and nothing that runs a script of its own to be installed.
  const checked = ['--require-hashes', '--only-binary', ':all:', '--requirement', REQUIREMENTS];
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...checked];
  await run(join(folder, 'bin', 'python'), pip).catch((error: { stderr?: string; message: string }) => {
    throw new LocalCloudError(`pip could not install ${REQUIREMENTS}: ${error.stderr ?? error.message}`);
  });
}

async function answers(url: string, ca: string): Promise<boolean> {
  const agent = new Agent({ ca });
  return new Promise<boolean>((resolve) => {
    get(url, { agent, timeout: 2_000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    })
      .on('timeout', () => resolve(false))
      .on('error', () => resolve(false));
  }).finally(() => agent.destroy());
}
