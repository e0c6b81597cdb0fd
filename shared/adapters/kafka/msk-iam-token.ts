import { createHash, createHmac } from 'node:crypto';
import { SQSClient } from '@aws-sdk/client-sqs';
import { SignatureV4 } from '@smithy/signature-v4';

/** The longest time that MSK takes a token. */
const MOST_SECONDS = 900;

/**
 * A token for MSK's IAM authentication, signed here with the process's credentials: a presigned request for
 * `kafka-cluster:Connect`. `aws-msk-iam-sasl-signer-js` makes the same one, and brings 21 further packages into every install.
 * https://github.com/aws/aws-msk-iam-sasl-signer-js
 */
export async function mskIamToken(region: string): Promise<string> {
  // Every client knows where the process's credentials are. To import the provider itself would make every cold start load more.
  const credentials = await new SQSClient({ region }).config.credentials();
  const hostname = `kafka.${region}.amazonaws.com`;
  const signer = new SignatureV4({
    service: 'kafka-cluster',
    region,
    credentials,
    sha256: Sha256,
    applyChecksum: false,
  });
  const secondsLeft = ((credentials.expiration?.getTime() ?? Number.POSITIVE_INFINITY) - Date.now()) / 1_000;
  const { query = {} } = await signer.presign(
    {
      method: 'GET',
      protocol: 'https:',
      hostname,
      path: '/',
      headers: { host: hostname },
      query: { Action: 'kafka-cluster:Connect' },
    },
    { expiresIn: Math.min(MOST_SECONDS, Math.floor(secondsLeft)) },
  );
  const url = `https://${hostname}/?${new URLSearchParams({ ...query, 'User-Agent': 'lockstep' } as Record<string, string>)}`;
  return Buffer.from(url).toString('base64url');
}

/** As the signer wants it. The SDK's own class, imported here, would stay in the files that every cold start reads. */
class Sha256 {
  readonly #hash;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as string);
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {}
}
