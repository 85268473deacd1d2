#include "store/ledger/charges.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define US_PER_S 1000000

static struct slice key_of(const void *owner, uint32_t item)
{
    const struct ledger_charges *c = owner;
    return slice_of(buf_ptr(&c->keys) + c->rows[item].key, c->rows[item].key_bytes);
}

void ledger_charges_init(struct ledger_charges *c)
{
    *c = (struct ledger_charges){0};
    buf_init(&c->keys);
    map_init(&c->map, key_of, c);
}

void ledger_charges_reset(struct ledger_charges *c)
{
    if (c->count) map_clear(&c->map);
    buf_reset(&c->keys);
    c->count = 0;
    c->hold_count = 0;
}

void ledger_charges_clear(struct ledger_charges *c)
{
    map_clear(&c->map);
    buf_clear(&c->keys);
    mem_free(c->rows);
    mem_free(c->holds);
    mem_free(c->sums);
    sqlite3_finalize(c->put);
    *c = (struct ledger_charges){0};
}

/* ---- Its rows. */

static void read_key(const struct ledger_charges *c, uint32_t i, int64_t *start_s, struct slice *text)
{
    struct slice key = key_of(c, i);
    memcpy(start_s, key.ptr, sizeof *start_s);
    *text = slice_of(key.ptr + sizeof *start_s, key.len - sizeof *start_s);
}

/* The row of that key, made when there is none. The key is put behind the others before it is looked for. */
static struct ledger_charged *row_of(struct ledger_charges *c, const struct ledger_charge *charge, bool *is_new)
{
    size_t at = buf_len(&c->keys);
    uint32_t item;
    buf_append(&c->keys, slice_of((const char *)&charge->start_s, sizeof charge->start_s));
    buf_append(&c->keys, charge->key);
    size_t bytes = buf_len(&c->keys) - at;
    *is_new = !map_find(&c->map, slice_of(buf_ptr(&c->keys) + at, bytes), &item);
    if (!*is_new) {
        c->keys.end -= bytes;
        return &c->rows[item];
    }
    if (c->count == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 64;
        c->rows = mem_realloc(c->rows, c->cap * sizeof *c->rows);
    }
    c->rows[c->count] = (struct ledger_charged){.key = at, .key_bytes = bytes};
    map_add(&c->map, c->count);
    return &c->rows[c->count++];
}

static void add_hold(struct ledger_charges *c, struct slice id)
{
    if (id.len >= COUNTERS_HOLD_BYTES) return;
    if (c->hold_count == c->hold_cap) {
        c->hold_cap = c->hold_cap ? 2 * c->hold_cap : 64;
        c->holds = mem_realloc(c->holds, c->hold_cap * sizeof *c->holds);
    }
    char *to = c->holds[c->hold_count++];
    memset(to, 0, COUNTERS_HOLD_BYTES);
    memcpy(to, id.ptr, id.len);
}

/* ---- Into the table. */

/* Of a session that was silent for too long before the batch's first record came the sum is the batch's alone. Neither
 * sum is more than half of what fits. */
bool ledger_charges_install(struct ledger_charges *c, sqlite3 *db, const char *table)
{
    char sql[640];
    snprintf(sql, sizeof sql,
             "INSERT INTO %s AS t VALUES(?1, ?2, ?3, ?4, ?5, ?6, iif(?3 = 0, ?7, 0)) ON CONFLICT DO UPDATE SET"
             " nano = CASE WHEN ?3 = 0 AND ?7 - t.last_s > t.idle_s THEN ?5"
             "             ELSE min(t.nano + ?5, 4611686018427387903) END,"
             " begun_s = iif(?3 = 0 AND ?7 - t.last_s > t.idle_s, ?7, t.begun_s),"
             " stop_s = max(?3, t.stop_s), idle_s = ?4, last_s = max(t.last_s, ?6)"
             " RETURNING nano, last_s, stop_s, begun_s",
             table);
    return sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &c->put, NULL) == SQLITE_OK;
}

static bool write_row(struct ledger_charges *c, uint32_t i)
{
    struct ledger_charged *row = &c->rows[i];
    struct slice key;
    int64_t start_s;
    read_key(c, i, &start_s, &key);
    sqlite3_bind_text(c->put, 1, key.ptr, (int)key.len, SQLITE_STATIC);
    sqlite3_bind_int64(c->put, 2, start_s);
    sqlite3_bind_int64(c->put, 3, row->stop_s);
    sqlite3_bind_int64(c->put, 4, row->idle_s);
    sqlite3_bind_int64(c->put, 5, row->nano == COUNTERS_AMOUNT_MAX ? row->nano - 1 : row->nano);
    sqlite3_bind_int64(c->put, 6, row->last_s);
    sqlite3_bind_int64(c->put, 7, row->first_s);
    bool is_good = sqlite3_step(c->put) == SQLITE_ROW;
    if (is_good) {
        row->nano = sqlite3_column_int64(c->put, 0);
        row->last_s = sqlite3_column_int64(c->put, 1);
        row->stop_s = sqlite3_column_int64(c->put, 2);
        row->begun_s = sqlite3_column_int64(c->put, 3);
        is_good = sqlite3_step(c->put) == SQLITE_DONE;
    }
    sqlite3_reset(c->put);
    return is_good;
}

/* ---- Adding up. */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* A session is silent between the end of one request and the coming of the next; a period is of requests that came. */
struct span {
    int64_t born_s, last_s;
};

static struct span span_of(const struct ledger_record *record, const struct ledger_charge *to)
{
    int64_t ended_us = counters_sum(record->time_us, to->stop_s ? 0 : record->duration_us);
    return (struct span){record->time_us / US_PER_S, ended_us / US_PER_S};
}

/* What a session was charged at another time is written before: whether it began anew is a matter of each time, also to
 * the trigger that forgets what was told of it, and a batch may be of hours. */
static bool begin_anew(struct ledger_charges *c, struct ledger_charged *row, struct span span)
{
    if (row->stop_s || span.born_s == row->first_s) return true;
    if (!write_row(c, (uint32_t)(row - c->rows))) return false;
    row->nano = 0;
    row->first_s = span.born_s;
    row->last_s = span.last_s;
    return true;
}

static bool charge(struct ledger_charges *c, const struct ledger_charge *to, int64_t nano, struct span span)
{
    bool is_new;
    if (larger(to->stop_s, span.last_s + to->idle_s) <= c->after_s) return true;
    struct ledger_charged *row = row_of(c, to, &is_new);
    if (is_new) row->first_s = span.born_s;
    else if (!begin_anew(c, row, span)) return false;
    row->nano = counters_sum(row->nano, nano);
    row->stop_s = larger(row->stop_s, to->stop_s);
    row->idle_s = to->idle_s;
    row->last_s = larger(row->last_s, span.last_s);
    return true;
}

bool ledger_charges_add(struct ledger_charges *c, const struct ledger_record *record)
{
    const struct ledger_held *held = &record->held;
    bool is_good = true;
    for (size_t i = 0; i < held->hold_count; i++)
        add_hold(c, held->holds[i]);
    for (size_t i = 0; i < held->charge_count && is_good; i++)
        is_good = charge(c, &held->charges[i], record->paid.cost_nano, span_of(record, &held->charges[i]));
    return is_good;
}

bool ledger_charges_write(struct ledger_charges *c)
{
    bool is_good = true;
    for (uint32_t i = 0; i < c->count && is_good; i++)
        is_good = write_row(c, i);
    return is_good;
}

/* ---- What it came to. */

const struct counters_spent *ledger_charges_sums(struct ledger_charges *c, size_t *count)
{
    if (c->count > c->sum_cap) {
        c->sum_cap = c->cap;
        c->sums = mem_realloc(c->sums, c->sum_cap * sizeof *c->sums);
    }
    for (uint32_t i = 0; i < c->count; i++) {
        const struct ledger_charged *row = &c->rows[i];
        struct counters_spent *sum = &c->sums[i];
        *sum = (struct counters_spent){.stop_s = row->stop_s, .last_s = row->last_s, .nano = row->nano,
                                       .begun_s = row->begun_s, .idle_s = (uint32_t)row->idle_s};
        read_key(c, i, &sum->start_s, &sum->key);
    }
    *count = c->count;
    return c->sums;
}

const char (*ledger_charges_holds(const struct ledger_charges *c, size_t *count))[COUNTERS_HOLD_BYTES]
{
    *count = c->hold_count;
    return (const char (*)[COUNTERS_HOLD_BYTES])c->holds;
}

static struct counters_spent spent_of(sqlite3_stmt *q)
{
    return (struct counters_spent){
        .key = slice_of((const char *)sqlite3_column_text(q, 0), (size_t)sqlite3_column_bytes(q, 0)),
        .start_s = sqlite3_column_int64(q, 1),
        .stop_s = sqlite3_column_int64(q, 2),
        .idle_s = (uint32_t)sqlite3_column_int64(q, 3),
        .nano = sqlite3_column_int64(q, 4),
        .last_s = sqlite3_column_int64(q, 5),
        .begun_s = sqlite3_column_int64(q, 6),
    };
}

#define SUMS "SELECT key, start_s, stop_s, idle_s, nano, last_s, begun_s FROM charges"

bool ledger_charges_each(sqlite3 *db, int64_t now_s, void (*fn)(void *arg, const struct counters_spent *spent),
                         void *arg)
{
    sqlite3_stmt *q;
    int rc;
    if (sqlite3_prepare_v2(db, SUMS " WHERE max(stop_s, last_s + idle_s) > ?", -1, &q, NULL) != SQLITE_OK) return false;
    sqlite3_bind_int64(q, 1, now_s);
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct counters_spent spent = spent_of(q);
        fn(arg, &spent);
    }
    sqlite3_finalize(q);
    return rc == SQLITE_DONE;
}

bool ledger_charges_one(sqlite3 *db, struct slice key, int64_t start_s, int64_t now_s,
                        void (*fn)(void *arg, const struct counters_spent *spent), void *arg)
{
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(db, SUMS " WHERE key = ? AND start_s = ?", -1, &q, NULL) != SQLITE_OK) return false;
    sqlite3_bind_text(q, 1, key.ptr ? key.ptr : "", (int)key.len, SQLITE_STATIC);
    sqlite3_bind_int64(q, 2, start_s);
    int rc = sqlite3_step(q);
    if (rc == SQLITE_ROW) {
        struct counters_spent spent = spent_of(q);
        if (larger(spent.stop_s, spent.last_s + spent.idle_s) > now_s) fn(arg, &spent);
    }
    sqlite3_finalize(q);
    return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

/* Rows that count no more are passed over here, not by SQLite: a page is so many rows, and no longer to read. */
bool ledger_charges_page(sqlite3 *db, const struct counters_spent *after, int64_t now_s, uint32_t max,
                         void (*fn)(void *arg, const struct counters_spent *spent, bool counts), void *arg)
{
    sqlite3_stmt *q;
    int rc;
    const char *sql = SUMS " WHERE (key, start_s) > (?1, ?2) ORDER BY key, start_s LIMIT ?3";
    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK) return false;
    sqlite3_bind_text(q, 1, after->key.ptr ? after->key.ptr : "", (int)after->key.len, SQLITE_STATIC);
    sqlite3_bind_int64(q, 2, after->key.ptr ? after->start_s : INT64_MIN);
    sqlite3_bind_int64(q, 3, max);
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct counters_spent spent = spent_of(q);
        fn(arg, &spent, larger(spent.stop_s, spent.last_s + spent.idle_s) > now_s);
    }
    sqlite3_finalize(q);
    return rc == SQLITE_DONE;
}

bool ledger_charges_recorded(sqlite3 *db, char (*ids)[COUNTERS_HOLD_BYTES], size_t *count)
{
    sqlite3_stmt *q;
    size_t kept = 0;
    bool is_good = sqlite3_prepare_v2(db, "SELECT 1 FROM records WHERE id = ?", -1, &q, NULL) == SQLITE_OK;
    for (size_t i = 0; i < *count && is_good; i++) {
        uint8_t id[LEDGER_ID_BYTES];
        struct slice rest, request = slice_split(slice_str(ids[i]), '/', &rest);
        if (!ledger_id_read(request, id)) continue;
        sqlite3_bind_blob(q, 1, id, sizeof id, SQLITE_STATIC);
        int rc = sqlite3_step(q);
        is_good = rc == SQLITE_ROW || rc == SQLITE_DONE;
        if (rc == SQLITE_ROW) memmove(ids[kept++], ids[i], COUNTERS_HOLD_BYTES);
        sqlite3_reset(q);
    }
    sqlite3_finalize(q);
    *count = kept;
    return is_good;
}

/* ---- What nobody asks for any more. */

/* A statement of up to two numbers. */
static bool run(sqlite3 *db, const char *sql, int64_t a, int64_t b)
{
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK) return false;
    sqlite3_bind_int64(q, 1, a);
    if (sqlite3_bind_parameter_count(q) > 1) sqlite3_bind_int64(q, 2, b);
    bool is_good = sqlite3_step(q) == SQLITE_DONE;
    sqlite3_finalize(q);
    return is_good;
}

#define OLDEST " WHERE max(stop_s, last_s + idle_s) <= ?1 LIMIT ?2"

bool ledger_charges_forget(sqlite3 *db, int64_t before_s, uint32_t max, uint32_t *count)
{
    *count = 0;
    if (!run(db, "DELETE FROM charges WHERE (key, start_s) IN (SELECT key, start_s FROM charges" OLDEST ")", before_s,
             max)) {
        return false;
    }
    *count = (uint32_t)sqlite3_changes(db);
    if (!run(db, "DELETE FROM charges_cut WHERE (key, start_s) IN (SELECT key, start_s FROM charges_cut" OLDEST ")",
             before_s, max)) {
        return false;
    }
    *count += (uint32_t)sqlite3_changes(db);
    return *count == 0 || run(db, "INSERT OR REPLACE INTO meta VALUES('charges.before', ?1)", before_s, 0);
}

bool ledger_charges_before(sqlite3 *db, int64_t *before_s)
{
    sqlite3_stmt *q;
    *before_s = 0;
    const char *sql = "SELECT v FROM meta WHERE k = 'charges.before'";
    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK) return false;
    int rc = sqlite3_step(q);
    if (rc == SQLITE_ROW) *before_s = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return rc == SQLITE_ROW || rc == SQLITE_DONE;
}
