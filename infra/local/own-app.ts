import { join } from 'node:path';
import type { ServersDescription } from './cloud-description.ts';
import type { CdkApp } from './dev/cdk-app.ts';
import { REPOSITORY } from './local-folder.ts';

/** This repository's own app. */
export const OWN_APP: CdkApp = { folder: REPOSITORY, cdk: join(REPOSITORY, 'node_modules/aws-cdk/bin/cdk') };

/** What its stages need to know. */
export function stageContext({ clusterArn, bootstrapServers }: ServersDescription): Readonly<Record<string, string>> {
  return { stage: 'local', clusterArn, bootstrapServers };
}
