/** `lockstep/testing`: what tests of consumers need. No AWS, no broker, no environment. */
export { deliver, deliverySteps } from '../shared/testing/deliver.ts';
export type { Crash, Delivery, DeliveryFaults } from '../shared/testing/delivery.ts';
export { kafkaEvent, type RecordOptions, record, type TestRecord } from '../shared/testing/record.ts';
