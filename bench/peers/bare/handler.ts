export { bareConsumer as handler } from './consumer.ts';
