import type { Sql } from './apply-once.ts';

/** An invoice as it arrives. */
export interface Invoice {
  readonly number: string;
  readonly customer: string;
  readonly cents: number;
}

/** Writes an invoice and adds it to its customer's debt. It does not know Kafka. */
export async function writeInvoice(sql: Sql, { number, customer, cents }: Invoice): Promise<void> {
  await sql.query(
    `INSERT INTO invoice (number, customer, cents) VALUES ($1, $2, $3)
     ON CONFLICT (number) DO UPDATE SET customer = excluded.customer, cents = excluded.cents`,
    [number, customer, cents],
  );
  await sql.query(
    `INSERT INTO debt AS known (customer, cents) VALUES ($1, $2)
     ON CONFLICT (customer) DO UPDATE SET cents = known.cents + excluded.cents`,
    [customer, cents],
  );
}
