/** Chance: jitter and names that nobody else has. Seeded in simulations. */
export interface Entropy {
  /** Uniform in [0, 1). */
  random(): number;
  /** A name that no other invocation has. */
  id(): string;
}
