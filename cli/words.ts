/** `3 d 4 h`, `5 min 12 s`, `8 s`: the two largest units. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const units: readonly (readonly [string, number])[] = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ];
  const first = units.findIndex(([, size]) => seconds >= size);
  if (first < 0) return '0 s';
  let rest = seconds;
  return units
    .slice(first, first + 2)
    .flatMap(([name, size]) => {
      const count = Math.floor(rest / size);
      rest -= count * size;
      return count === 0 ? [] : [`${count} ${name}`];
    })
    .join(' ');
}

/** `93 s`, `72 min`, `47 h`, `12 d`: for columns. */
export function shortDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}

/** `12,345` */
export function number(value: number): string {
  return value.toLocaleString('en-US');
}

/** `1 dead letter`, `12 dead letters` */
export function counted(count: number, one: string, more = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : more}`;
}

/** Reads `30s`, `15min`, `2h`, `7d` as a time in the past, or an ISO 8601 time. `undefined` for anything else. */
export function timeOf(text: string, now: number): number | undefined {
  const ago = /^(\d+)\s*(s|min|h|d)$/.exec(text);
  if (ago !== null) return now - Number(ago[1]) * 1_000 * ({ s: 1, min: 60, h: 3_600, d: 86_400 }[ago[2] ?? 's'] ?? 1);
  // Only ISO 8601: other texts that `Date` accepts (`5`, `May`) are most likely mistakes.
  const time = /^\d{4}-\d\d-\d\d(T|$)/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

/** `CreditDown: no answer`. A name with which the text begins is not repeated. */
export function errorOf(name: string, text: string): string {
  if (name === '' || text === '') return `${name}${text}`;
  return text === name || text.startsWith(`${name}:`) ? text : `${name}: ${text}`;
}
