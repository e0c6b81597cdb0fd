import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { DeployedConsumer } from '../../../infra/local/deployed.ts';
import { handlerBuild } from '../../../infra/local/dev/handler-builds.ts';
import { inspectedFunction } from '../../../infra/local/inspected-function.ts';

const HANDLER = `import { price } from './price';

interface Event { readonly amount: number }

export const handler = async (event: Event): Promise<number> => {
  debugger;
  return price * event.amount;
};
`;

let app: string;
beforeAll(() => {
  app = realpathSync(mkdtempSync(join(tmpdir(), 'inspected-')));
  mkdirSync(join(app, 'lambda'));
  writeFileSync(join(app, 'package.json'), '{}');
  writeFileSync(join(app, 'lambda/orders.ts'), HANDLER);
  writeFileSync(join(app, 'lambda/price.ts'), 'export const price: number = 2;');
});
afterAll(() => rmSync(app, { recursive: true }));

/** As far as an inspected function needs it. */
const ORDERS = {
  name: 'Orders',
  function: {
    name: 'Orders',
    functionName: 'orders',
    functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:orders',
    roleArn: 'arn:aws:iam::000000000000:role/orders',
    logGroup: '/aws/lambda/orders',
    timeoutSeconds: 3,
    environment: {},
  },
} as DeployedConsumer;

/** What an editor does: attaches, and hears where the process stops. */
async function attach(address: string) {
  const [target] = (await (await fetch(`http://${address}/json/list`)).json()) as { webSocketDebuggerUrl: string }[];
  const socket = new WebSocket(target?.webSocketDebuggerUrl ?? '');
  const heard = new EventTarget();
  const scripts = new Map<string, string>();
  socket.addEventListener('message', ({ data }) => {
    const { id, method, params } = JSON.parse(data);
    if (method === 'Debugger.scriptParsed') scripts.set(params.scriptId, params.url);
    heard.dispatchEvent(new CustomEvent(method ?? `answer ${id}`, { detail: params }));
  });
  await new Promise((done) => socket.addEventListener('open', done));
  let last = 0;
  const send = (method: string) => {
    const id = ++last;
    socket.send(JSON.stringify({ id, method }));
    return new Promise((done) => heard.addEventListener(`answer ${id}`, done, { once: true }));
  };
  await send('Debugger.enable');
  return {
    paused: () =>
      new Promise<{ url: string; line: number; column: number }>((done) =>
        heard.addEventListener(
          'Debugger.paused',
          (event) => {
            const [{ location }] = (event as CustomEvent).detail.callFrames;
            const { scriptId, lineNumber: line, columnNumber: column } = location;
            done({ url: scripts.get(scriptId) ?? '', line, column });
          },
          { once: true },
        ),
      ),
    resume: () => send('Debugger.resume'),
    close: () => socket.close(),
  };
}

test('a debugger stops in the TypeScript of the handler, and edited code runs in a new process on the same port', async () => {
  const build = await handlerBuild(app, 'lambda/orders.ts', {});
  onTestFinished(() => build.dispose());
  const lines: string[] = [];
  const inspected = await inspectedFunction({
    endpoint: {
      url: 'https://127.0.0.1:1',
      region: 'us-east-1',
      certificateFile: '/dev/null',
      credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    },
    assumeRole: async () => ({
      accessKeyId: 'A',
      secretAccessKey: 'B',
      sessionToken: 'C',
      expiration: new Date(0),
    }),
    folder: join(app, 'inspected'),
    onLine: (line) => lines.push(line),
  });
  onTestFinished(() => inspected.stop());

  await inspected.run(ORDERS, await build.build());
  const first = await inspected.invoke('', '{"amount":3}');
  expect(first).toMatchObject({ type: 'answered', payload: '6' });
  expect(lines[0]).toContain(`Debugger listening on ws://${inspected.debugger}/`);

  const editor = await attach(inspected.debugger);
  const answered = inspected.invoke('', '{"amount":4}');
  const at = await editor.paused();
  const map = JSON.parse(readFileSync(`${fileURLToPath(at.url)}.map`, 'utf8'));
  const original = new SourceMap(map).findEntry(at.line, at.column);
  if (!('originalLine' in original)) throw new Error('the source map does not lead anywhere');
  expect(fileURLToPath(new URL(`${map.sourceRoot}${original.originalSource}`))).toBe(join(app, 'lambda/orders.ts'));
  expect(HANDLER.split('\n')[original.originalLine]).toBe('  debugger;');
  void editor.resume();
  expect(await answered).toMatchObject({ payload: '8' });
  editor.close();

  writeFileSync(join(app, 'lambda/price.ts'), 'export const price: number = 5;');
  await inspected.run(ORDERS, await build.build());
  expect(await inspected.invoke('', '{"amount":3}')).toMatchObject({ payload: '15' });
});
