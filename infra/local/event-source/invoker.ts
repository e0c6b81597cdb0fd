/** How a function answered. */
export type Invocation =
  | { readonly type: 'answered'; readonly payload: string; readonly requestId?: string; readonly log?: string }
  /** It threw, died or ran into its timeout. `payload` is what it says about that. */
  | { readonly type: 'functionError'; readonly payload: string; readonly requestId?: string; readonly log?: string }
  /** It never ran: throttled, unreachable, refused. */
  | { readonly type: 'notInvoked'; readonly reason: string };

/** Runs a function with an event and waits for its end. */
export interface Invoker {
  /**
   * @param payload - the event's JSON
   * @throws never: what goes wrong is an `Invocation`
   */
  invoke(functionArn: string, payload: string): Promise<Invocation>;
}
