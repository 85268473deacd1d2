/*
 * A column of a row as bytes, whatever type somebody gave it.
 *
 *     struct slice body = column_bytes(q, 2);         // never NULL; as long as the row is there
 *     column_take(q, 3, hash, sizeof hash) || …       // false: it has another length
 */
#ifndef MOONGATE_STORE_COLUMN_H
#define MOONGATE_STORE_COLUMN_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/slice.h"

static inline struct slice column_bytes(sqlite3_stmt *q, int at)
{
    const char *bytes = sqlite3_column_blob(q, at);
    return slice_of(bytes ? bytes : "", (size_t)sqlite3_column_bytes(q, at));
}

static inline bool column_take(sqlite3_stmt *q, int at, uint8_t *bytes, size_t len)
{
    struct slice from = column_bytes(q, at);
    if (from.len == len) memcpy(bytes, from.ptr, len);
    return from.len == len;
}

#endif
