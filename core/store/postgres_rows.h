/*
 * Rows as one parameter of a statement: an array of a composite type, in PostgreSQL's binary form, in which nothing
 * needs escaping or is read as text.
 *
 *     struct postgres_rows rows;
 *     postgres_rows_init(&rows);
 *     postgres_rows_begin(&rows);  postgres_rows_add_int(&rows, 7);  postgres_rows_add_text(&rows, name);   // a row
 *     params[0] = postgres_rows_param(&rows, oid);       // borrowed until the next call; "unnest($1::pair[])"
 *     postgres_rows_reset(&rows);                        // for the next batch, in the same memory
 *
 * unnest() of one such array takes a thirtieth of what it takes of an array for each column. The form is that of
 * array_recv() and record_recv(): dimensions, flags, element type, length, lower bound, then each row with its length
 * before it: the number of fields, and each field's type, length and bytes, all big-endian. There are no nulls.
 */
#ifndef MOONGATE_STORE_POSTGRES_ROWS_H
#define MOONGATE_STORE_POSTGRES_ROWS_H

#include <stdint.h>

#include "base/buf.h"
#include "store/postgres.h"

struct postgres_rows {
    struct buf bytes; /* begins with room for the head */
    uint32_t count, fields;
    size_t row; /* where the one that is being written begins */
};

void postgres_rows_init(struct postgres_rows *r);
void postgres_rows_clear(struct postgres_rows *r);
void postgres_rows_reset(struct postgres_rows *r);

void postgres_rows_begin(struct postgres_rows *r);
/* Each adds a field of that type: bigint, int, timestamptz of microseconds since 1970, date of yyyymmdd (what is no day
 * becomes 1970-01-01), uuid of 16 bytes, bytea, text. */
void postgres_rows_add_int(struct postgres_rows *r, int64_t value);
void postgres_rows_add_int4(struct postgres_rows *r, int32_t value);
void postgres_rows_add_time(struct postgres_rows *r, int64_t time_us);
void postgres_rows_add_day(struct postgres_rows *r, int64_t day);
void postgres_rows_add_uuid(struct postgres_rows *r, const uint8_t id[16]);
void postgres_rows_add_bytes(struct postgres_rows *r, struct slice bytes);
/* A text column takes neither NUL nor what is not UTF-8: each such byte becomes U+FFFD. */
void postgres_rows_add_text(struct postgres_rows *r, struct slice text);

/* `type`: the composite type's number in pg_type. */
struct postgres_param postgres_rows_param(struct postgres_rows *r, uint32_t type);
/* The same rows as COPY … (FORMAT binary) takes them, behind what `out` has, each with an int first. */
void postgres_rows_copy(struct postgres_rows *r, int32_t first, struct buf *out);

#endif
