/**
 * For a Java process that lives for minutes: it compiles its code once and collects with one thread. That takes little more than
 * half of the processor time until a broker is ready; one that has much to do for long is slower.
 */
export const SHORT_LIVED_JAVA = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'] as const;
