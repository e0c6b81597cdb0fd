/** What is kept of a record so that it is applied once. */
export interface SeenOrders {
  /** @returns `taken` if the caller may go on, `done` if the order was applied before; @throws while another one works on it */
  take(id: string, lockedUntil: number): Promise<'taken' | 'done'>;
  done(id: string): Promise<void>;
  giveBack(id: string): Promise<void>;
}
