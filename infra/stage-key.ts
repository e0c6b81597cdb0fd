import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

/** The key of a stage, where it has one of its own: `-c encryptionKeyArn=arn:aws:kms:…`. */
export function givenKey(scope: Construct, keyArn: string | undefined): { readonly encryptionKey?: IKey } {
  return keyArn === undefined ? {} : { encryptionKey: Key.fromKeyArn(scope, 'EncryptionKey', keyArn) };
}
