/** What is kept of a record so that it is applied once. */
export interface SeenOrders {
  /** @returns `taken` for who may go on, `done` for what was applied before; @throws while another one works on it */
  take(id: string, lockedUntil: number): Promise<'taken' | 'done'>;
  done(id: string): Promise<void>;
  giveBack(id: string): Promise<void>;
}
