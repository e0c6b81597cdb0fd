import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';

/** Lambda's runtime API for one process at a time. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html */
export interface RuntimeApi extends AsyncDisposable {
  /** For AWS_LAMBDA_RUNTIME_API. */
  readonly address: string;
  /** Gives `event` to the next request. Resolves with the times of that request and of the answer, by `performance.now()`. */
  invoke(event: unknown): Promise<{ readonly askedAt: number; readonly answeredAt: number }>;
}

/** Serves the runtime API on a free port of 127.0.0.1. */
export async function runtimeApi(): Promise<RuntimeApi> {
  let asking: PromiseWithResolvers<ServerResponse> = Promise.withResolvers();
  let answering: PromiseWithResolvers<string> = Promise.withResolvers();
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    if (incoming.url?.endsWith('/invocation/next')) {
      asking.resolve(outgoing);
      return;
    }
    outgoing.writeHead(202).end();
    const text = Buffer.concat(chunks).toString();
    if (incoming.url?.endsWith('/response')) answering.resolve(text);
    else {
      const failed = new Error(`the function failed at its first event: ${text}`);
      asking.reject(failed);
      answering.reject(failed);
    }
  });
  server.keepAliveTimeout = 600_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    address: `127.0.0.1:${port}`,
    async invoke(event) {
      const outgoing = await asking.promise;
      const askedAt = performance.now();
      outgoing.writeHead(200, {
        'content-type': 'application/json',
        'lambda-runtime-aws-request-id': `request-${askedAt}`,
        'lambda-runtime-deadline-ms': String(Date.now() + 60_000),
        'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:eu-central-1:111122223333:function:orders',
      });
      outgoing.end(JSON.stringify(event));
      const text = await answering.promise;
      const answeredAt = performance.now();
      asking = Promise.withResolvers();
      answering = Promise.withResolvers();
      if (JSON.parse(text).batchItemFailures.length > 0) throw new Error(`the first record was not handled: ${text}`);
      return { askedAt, answeredAt };
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
