/** `lockstep/testing`: what tests of consumers need. No AWS, no broker, no environment. */
export { deliver, deliverySteps } from '../shared/testing/deliver.ts';
export type { Crash, Delivery, DeliveryFaults } from '../shared/testing/delivery.ts';
export { ExplorationError, explore } from '../shared/testing/explore/explore.ts';
export type { Explored, ExploreOptions, Scenario, Seen } from '../shared/testing/explore/scenario.ts';
export type { Trouble } from '../shared/testing/explore/trouble.ts';
export { kafkaEvent, type RecordOptions, record, type TestRecord } from '../shared/testing/record.ts';
