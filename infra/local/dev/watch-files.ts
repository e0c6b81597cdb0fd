import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';

/** Saves within this time count as one. */
const SETTLES_MS = 80;

/** Watches files that may change from save to save. */
export interface FileWatch {
  /** Which files, as absolute paths. What was watched before and is not named is watched no longer. */
  follow(paths: Iterable<string>): void;
  close(): void;
}

/**
 * Tells which files have changed. It watches their folders: editors often write another file and rename it.
 *
 * @param onChange - gets those that have changed at about the same time
 */
export function watchFiles(onChange: (paths: readonly string[]) => void): FileWatch {
  const folders = new Map<string, FSWatcher>();
  const versions = new Map<string, string>();
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const look = (path: string): void => {
    const version = versionOf(path);
    // A file that is being replaced is not there for a moment.
    if (!versions.has(path) || version === undefined || versions.get(path) === version) return;
    versions.set(path, version);
    changed.add(path);
    clearTimeout(timer);
    timer = setTimeout(() => {
      const paths = [...changed];
      changed.clear();
      onChange(paths);
    }, SETTLES_MS);
  };
  return {
    follow(paths) {
      const wanted = new Set(paths);
      for (const path of versions.keys()) if (!wanted.has(path)) versions.delete(path);
      for (const path of wanted) if (!versions.has(path)) versions.set(path, versionOf(path) ?? '');
      const places = new Set([...wanted].map(dirname));
      for (const [folder, watcher] of folders) {
        if (places.has(folder)) continue;
        watcher.close();
        folders.delete(folder);
      }
      for (const folder of places) {
        if (folders.has(folder)) continue;
        const watcher = watch(folder, (_, name) => {
          if (name !== null) look(join(folder, name));
        });
        // The folder was deleted. Its files are followed again when something names them.
        watcher.on('error', () => folders.delete(folder));
        folders.set(folder, watcher);
      }
    },
    close() {
      clearTimeout(timer);
      for (const watcher of folders.values()) watcher.close();
    },
  };
}

function versionOf(path: string): string | undefined {
  try {
    const { mtimeMs, size, ino } = statSync(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return undefined;
  }
}
