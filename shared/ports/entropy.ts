/** Random numbers for jitter and for unique names. Seeded in simulations. */
export interface Entropy {
  /** Uniform in [0, 1). */
  random(): number;
  /** A name that no other invocation has. */
  id(): string;
}
