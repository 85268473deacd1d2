/*
 * What SQLite has in a column, as bytes: valid until the statement's next step.
 *
 *     struct slice body = column_bytes(q, 2);     // never NULL: what is NULL there is empty
 */
#ifndef MOONGATE_STORE_COLUMN_H
#define MOONGATE_STORE_COLUMN_H

#include <sqlite3.h>

#include "base/slice.h"

static inline struct slice column_bytes(sqlite3_stmt *q, int column)
{
    const char *bytes = sqlite3_column_blob(q, column); /* before its length is asked for: it may be made anew */
    return bytes ? slice_of(bytes, (size_t)sqlite3_column_bytes(q, column)) : SLICE("");
}

#endif
