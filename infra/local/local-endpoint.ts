import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';

/** Where the local cloud's AWS APIs listen, how to trust them, and how to be trusted. Plain data: it goes into a file that only its user reads, and to test workers. */
export interface LocalEndpoint {
  readonly url: string;
  readonly region: string;
  /** PEM file of the certificate, its own authority. */
  readonly certificateFile: string;
  /** Of the account's root; random, of this run only. */
  readonly credentials: RootCredentials;
}

/** Of the account's root. */
export interface RootCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** New ones, which nobody can guess. */
export function randomCredentials(): RootCredentials {
  return {
    accessKeyId: `AKIA${randomBytes(8).toString('hex').toUpperCase()}`,
    secretAccessKey: randomBytes(30).toString('base64url'),
  };
}

export const LOCAL_ACCOUNT = '000000000000';

/** What any AWS SDK client needs to reach the local cloud as the account's root. Each call makes connections of its own. */
export function clientConfig(endpoint: LocalEndpoint) {
  const httpsAgent = new Agent({ ca: readFileSync(endpoint.certificateFile), keepAlive: true, maxSockets: 100 });
  return {
    endpoint: endpoint.url,
    region: endpoint.region,
    credentials: endpoint.credentials,
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
    AWS_ACCESS_KEY_ID: endpoint.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: endpoint.credentials.secretAccessKey,
    NODE_EXTRA_CA_CERTS: endpoint.certificateFile,
    AWS_CA_BUNDLE: endpoint.certificateFile,
  };
}
