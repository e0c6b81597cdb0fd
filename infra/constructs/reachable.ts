/** Everything that can be reached from `starts`, with `starts`. */
export function reachable(starts: Iterable<string>, next: (path: string) => Iterable<string>): ReadonlySet<string> {
  const reached = new Set(starts);
  for (const path of reached) for (const other of next(path)) reached.add(other);
  return reached;
}
