/*
 * The registry's tables as text: schema.sql, as it stands for SQLite, made anew for PostgreSQL.
 *
 *     registry_schema_sqlite()                        // a list of statements
 *     registry_schema_postgres(&sql, "moongate_registry");    // appended; the schema's name is in the functions
 *
 * For PostgreSQL INTEGER becomes bigint, BLOB bytea, IS NOT x IS DISTINCT FROM x, and each trigger a function beside
 * it. One whose condition reads other rows first updates the row `rev`: it waits there for who is changing something,
 * and reads what that one has committed. So four eyes hold also for who writes SQL past this gateway.
 */
#ifndef MOONGATE_STORE_REGISTRY_SCHEMA_H
#define MOONGATE_STORE_REGISTRY_SCHEMA_H

#include "base/buf.h"

#define REGISTRY_SCHEMA 5     /* meta.schema: what this moongate makes */
#define REGISTRY_READS_FROM 5 /* meta.reads_from: the oldest one that may open what this one makes */

const char *registry_schema_sqlite(void);
void registry_schema_postgres(struct buf *out, const char *schema);

#endif
