/** Loaded by each worker: it ends with its run, however that ends, and with it the servers and the consumers that it started. */
process.once('disconnect', () => process.exit(1));
