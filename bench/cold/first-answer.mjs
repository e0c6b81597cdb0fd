// Answers one event, as a cold start does, and ends.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [bundle, eventFile] = process.argv.slice(2);
const event = JSON.parse(readFileSync(eventFile, 'utf8'));
const { handler } = await import(pathToFileURL(bundle).href);
const answer = await handler(event, {
  awsRequestId: 'cold',
  functionName: 'orders',
  getRemainingTimeInMillis: () => 60_000,
});
if (answer.batchItemFailures.length > 0) throw new Error('the first record must be handled');
process.exit(0);
