/**
 * What we use of kafkajs 2.2.4 below its public face: it has no release since 2023, and the version is pinned.
 * https://github.com/tulios/kafkajs/tree/v2.2.4/src
 */
declare module 'kafkajs/src/network/requestQueue/index.js' {
  /** Requests of one connection that wait for their turn or their answer. */
  class RequestQueue {
    readonly pending: readonly unknown[];
    checkPendingRequests(): void;
    scheduleCheckPendingRequests(): void;
  }
  // CommonJS: `module.exports = class`.
  export = RequestQueue;
}
