import { localTarget } from '../cli/local-target.ts';
import { type RunningConsole, startConsole } from './server.ts';

/** The console of the local cloud that runs the app around the working directory. */
export function startLocalConsole(): Promise<RunningConsole> {
  return startConsole({
    open: localTarget,
    target: '--local',
    local: true,
    readOnly: false,
    noValues: false,
    port: 0,
  });
}
