/*
 * An array parameter of a statement, in PostgreSQL's binary form: nothing in it needs escaping or is read as text.
 *
 *     struct postgres_array names;
 *     postgres_array_init(&names, POSTGRES_TEXTS);
 *     postgres_array_add_text(&names, text);            … one call a row
 *     params[0] = postgres_array_param(&names);         // borrowed until the next add or reset
 *     postgres_array_reset(&names);                     // for the next batch, in the same memory
 *
 * The form is array_recv()'s: dimensions, flags, element type, length, lower bound, then each element with its length
 * before it, all big-endian. Without elements it is an empty array; there are no nulls.
 */
#ifndef MOONGATE_STORE_POSTGRES_ARRAY_H
#define MOONGATE_STORE_POSTGRES_ARRAY_H

#include <stdint.h>

#include "base/buf.h"
#include "store/postgres.h"

struct postgres_array {
    enum postgres_type type;
    uint32_t count;
    struct buf bytes; /* begins with room for the head */
};

void postgres_array_init(struct postgres_array *a, enum postgres_type type);
void postgres_array_clear(struct postgres_array *a);
void postgres_array_reset(struct postgres_array *a);

void postgres_array_add_int(struct postgres_array *a, int64_t value);
/* Microseconds since 1970. */
void postgres_array_add_time(struct postgres_array *a, int64_t time_us);
/* yyyymmdd; what is no day becomes 1970-01-01. */
void postgres_array_add_day(struct postgres_array *a, int64_t day);
/* Since 1970. */
void postgres_array_add_days(struct postgres_array *a, int64_t days);
/* Of bytea and uuid. */
void postgres_array_add_bytes(struct postgres_array *a, struct slice bytes);
/* A text column takes neither NUL nor what is not UTF-8: each such byte becomes U+FFFD. */
void postgres_array_add_text(struct postgres_array *a, struct slice text);

struct postgres_param postgres_array_param(struct postgres_array *a);

/* Days since 1970 of yyyymmdd. */
int64_t postgres_days(int64_t day);

#endif
