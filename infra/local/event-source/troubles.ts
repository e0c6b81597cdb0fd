/** Says what goes wrong, once as long as it lasts. */
export interface Troubles {
  /**
   * @param place - what it concerns, as it is named in the line
   * @param what - what is wrong, and what is done about it
   */
  of(place: string, what: string, error: unknown): void;
  /** It works again: if it fails once more, that is said. */
  over(place: string): void;
}

export function troubles(log: (line: string) => void): Troubles {
  const said = new Map<string, string>();
  return {
    of: (place, what, error) => {
      const line = `${place} ${what}: ${error instanceof Error ? error.message : String(error)}`;
      if (said.get(place) === line) return;
      said.set(place, line);
      log(line);
    },
    over: (place) => {
      said.delete(place);
    },
  };
}
