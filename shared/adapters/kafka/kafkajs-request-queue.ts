import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

const scheduleCheck = RequestQueue.prototype.scheduleCheckPendingRequests;

/**
 * Once a request was answered, kafkajs 2.2.4 looks after waiting requests again and again: with none waiting it computes the
 * delay from a date that was never set, gives setTimeout a negative number, and so wakes a thousand times a second as long as
 * the connection stands; Node 24 warns of it (TimeoutNegativeWarning). With none waiting there is nothing to look after: what
 * is pushed later asks for itself. https://github.com/tulios/kafkajs/issues/1751
 */
RequestQueue.prototype.scheduleCheckPendingRequests = function (): void {
  if (this.pending.length > 0) scheduleCheck.call(this);
};
