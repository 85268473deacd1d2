/*
 * The tables of a fleet's ledger in PostgreSQL, in the schema `moongate`, and what makes and drops their partitions.
 *
 *     ledger_postgres_migration(&sql);        // one DO block: makes what is missing, refuses what is newer
 *
 * `audit` is the copy of each gateway's chain, `records` has a row an exchange, both partitioned by day (UTC);
 * `rollup` and `rollup_label` have the sums, a shard for each gateway; `gateway` how far each has come, `anchor` its
 * signed heads.
 */
#ifndef MOONGATE_STORE_LEDGER_POSTGRES_SCHEMA_H
#define MOONGATE_STORE_LEDGER_POSTGRES_SCHEMA_H

#include "base/buf.h"

#define LEDGER_POSTGRES_VERSION 1
#define LEDGER_POSTGRES_NEWER "MG001" /* the SQLSTATE of tables that a newer moongate has made */

void ledger_postgres_migration(struct buf *sql);

#endif
