import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { requireOpenssl } from './requirements.ts';

const run = promisify(execFile);

export interface Certificate {
  /** PEM files. The certificate is its own authority: a client that trusts it (NODE_EXTRA_CA_CERTS) trusts the server. */
  readonly certificateFile: string;
  readonly keyFile: string;
}

/**
 * Makes a key and a certificate for 127.0.0.1 and localhost, valid for a month. They are for this run only, and only its own
 * servers and clients use them.
 *
 * @throws LocalCloudError if OpenSSL is missing
 */
export async function makeCertificate(folder: string): Promise<Certificate> {
  const openssl = await requireOpenssl();
  const certificateFile = join(folder, 'certificate.pem');
  const keyFile = join(folder, 'key.pem');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  // Node accepts only an authority from NODE_EXTRA_CA_CERTS, so the certificate is one.
  const extensions = [
    ['-addext', 'basicConstraints=critical,CA:TRUE'],
    ['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
  ].flat();
  const subject = ['-subj', '/CN=lockstep local cloud', '-days', '30'];
  await run(openssl, ['req', '-x509', ...key, '-out', certificateFile, ...subject, ...extensions]);
  return { certificateFile, keyFile };
}
