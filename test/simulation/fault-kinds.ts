/** All that goes wrong. Each is counted. */
export const FAULT_KINDS = {
  // A request to the ledger, the keys, the dead-letter topic, the fallback queue or the producer.
  refused: 'a request was refused, nothing was done',
  throttled: 'a request was throttled',
  slow: 'a request took seconds',
  answerLost: 'a request was done, its answer lost',
  landsLate: 'a request was given up on and took effect later',
  diesBefore: 'the host died instead of sending a request',
  diesAfter: 'the host died before the answer of a request that was done',
  denied: 'a request was refused for good',
  // An invocation.
  deliveredTwice: 'an event was given to two invocations',
  notInvoked: 'an invocation was throttled',
  connectionLost: 'the mapping lost its connection to an invocation that ran on',
  frozen: 'a whole host stood still past its lease, then went on',
  clockSkew: 'a host whose clock is off',
  leaseLost: 'a partition was taken over from an invocation that still lived',
  // The mapping.
  rebalance: 'partitions went to another poller',
  offsetsTooLow: 'a poller started at offsets committed long ago',
  offsetsTooHigh: 'a poller started beyond what it had not delivered or not settled',
  slowRetry: 'a retry took longer than `missingRecordTimeoutMs`',
  mappingDisabled: 'the mapping was disabled for minutes',
  groupRewound: "the group's offsets were set back to the start",
  // The log.
  gap: 'offsets that no consumer sees: transaction markers, compaction',
  retention: 'retention took a record that was already delivered',
  recreatedNewer: 'the topic was deleted and created again',
  recreatedOlder: 'the topic was created again and refilled with old timestamps',
  clusterMoved: 'the topic came from another cluster, its offsets from the start and its timestamps old',
  // The handler.
  fails: 'a handler failed a few times',
  failsForEver: 'a handler failed each time',
  nonRetryable: 'a handler threw a NonRetryableError',
  kills: 'a handler killed its host a few times',
  killsForEver: 'a handler killed its host each time',
  hangs: 'a handler ran past the deadline',
  blocks: 'a handler blocked its whole host past the lease',
  pauses: 'a handler threw a PauseError',
  undecodable: 'a value was not JSON',
  slowHandler: 'a handler took longer than a lease',
  effectRefused: 'the condition of an effect did not hold',
  throwsOddly: 'a handler threw what is no error: nothing, a revoked proxy, an object that throws when it is read',
  badThenable: 'a handler returned an object whose `then` throws at once',
  plainDecoder: 'the decoder returns values and throws, as any codec does',
  // What others do to records and requests.
  conflicted: 'a transaction was cancelled since another one touched an item of it',
  foreignHeaders: 'a record came with headers that dead letters have, from elsewhere',
  formChanged: 'a schema registry was switched on: the same records come in another form',
} as const;

export type FaultKind = keyof typeof FAULT_KINDS;

/** Faults of a single request; what `atRequest` draws from. */
export const REQUEST_FAULTS = [
  'refused',
  'throttled',
  'slow',
  'answerLost',
  'landsLate',
  'diesBefore',
  'diesAfter',
  'denied',
] as const satisfies readonly FaultKind[];
