/*
 * A record as a row of `records`, for who writes or compares it.
 *
 *     ledger_row_insert(&sql, "INSERT INTO records", " ON CONFLICT(id) DO NOTHING");   // with a NUL behind it
 *     ledger_row_bind(statement, seq, &record);
 */
#ifndef MOONGATE_STORE_LEDGER_ROW_H
#define MOONGATE_STORE_LEDGER_ROW_H

#include <sqlite3.h>

#include "base/buf.h"
#include "store/ledger/record.h"

/* "SELECT" of all columns but seq, in the order of ledger_columns, by seq. */
void ledger_row_select(struct buf *sql);
void ledger_row_insert(struct buf *sql, const char *before, const char *behind);
/* Borrows from the record until the statement is bound anew. */
void ledger_row_bind(sqlite3_stmt *q, uint64_t seq, const struct ledger_record *record);

#endif
