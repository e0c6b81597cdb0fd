import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';

/** Where the local cloud's AWS APIs listen, and how to trust them. Plain data: it goes into a file and to test workers. */
export interface LocalEndpoint {
  readonly url: string;
  readonly region: string;
  /** PEM file of the certificate, its own authority. */
  readonly certificateFile: string;
}

/** MiniStack takes this key for the account's root and `000000000000` for the account. */
export const ROOT_CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' } as const;
export const LOCAL_ACCOUNT = '000000000000';

/** What any AWS SDK client needs to reach the local cloud as the account's root. Each call makes connections of its own. */
export function clientConfig(endpoint: LocalEndpoint) {
  const httpsAgent = new Agent({ ca: readFileSync(endpoint.certificateFile), keepAlive: true, maxSockets: 100 });
  return {
    endpoint: endpoint.url,
    region: endpoint.region,
    credentials: ROOT_CREDENTIALS,
    requestHandler: { httpsAgent },
  };
}

/** Environment variables for a process that is to use the local cloud as if it were AWS: cdk, the aws command, a function run by hand. */
export function endpointEnvironment(endpoint: LocalEndpoint): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint.url,
    AWS_ENDPOINT_URL_S3: endpoint.url,
    AWS_REGION: endpoint.region,
    AWS_DEFAULT_REGION: endpoint.region,
    AWS_ACCESS_KEY_ID: ROOT_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: ROOT_CREDENTIALS.secretAccessKey,
    NODE_EXTRA_CA_CERTS: endpoint.certificateFile,
    AWS_CA_BUNDLE: endpoint.certificateFile,
  };
}
