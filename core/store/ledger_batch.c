#include "store/ledger_batch.h"

#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "store/ledger_record.h"
#include "store/postgres_array.h"

#define DAY_US (86400ll * 1000000)

/* The arrays behind those of `records`; what a line of sums is made of stands in the order of `rollup`. */
enum list {
    AUDIT_TIME, AUDIT_SEQ, AUDIT_KIND, AUDIT_BODY, AUDIT_HASH,
    RECORD_SEQ,
    LINE_SEQ, LINE_MODEL, LINE_PROVIDER, LINE_NUMBERS,
    LABEL_SEQ = LINE_NUMBERS + 10, LABEL_NAME, LABEL_VALUE,
    ANCHOR_SEQ, ANCHOR_TIME, ANCHOR_HASH, ANCHOR_SIGNATURE,
    LISTS
};

_Static_assert(LISTS + LEDGER_COLUMNS == LEDGER_BATCH_PARAMS, "each array is a parameter");

static const char *const sums[] = {"requests",      "denied",           "failed",    "unpriced",  "input_tokens",
                                   "cached_tokens", "output_tokens",    "reasoning_tokens", "cost_nano", "saved_nano"};

struct ledger_batch {
    struct postgres_array lists[LISTS];
    struct postgres_array columns[LEDGER_COLUMNS];
    struct ledger_reader reader;
    struct ledger_record record;
    size_t rows, bytes;
    uint64_t last;
    uint8_t last_hash[CHAIN_HASH_BYTES];
    int64_t time_us; /* of the entry before */
    int32_t days[LIMIT_SHIP_ROWS];
    size_t day_count;
};

static enum postgres_type type_of(enum list list)
{
    switch (list) {
    case AUDIT_TIME:
    case ANCHOR_TIME: return POSTGRES_TIMES;
    case AUDIT_BODY:
    case AUDIT_HASH:
    case ANCHOR_HASH:
    case ANCHOR_SIGNATURE: return POSTGRES_BYTEAS;
    case LINE_MODEL:
    case LINE_PROVIDER:
    case LABEL_NAME:
    case LABEL_VALUE: return POSTGRES_TEXTS;
    default: return POSTGRES_INT8S;
    }
}

static bool is_time(const struct ledger_column *c)
{
    return strcmp(c->name, "time_us") == 0;
}

static bool is_day(const struct ledger_column *c)
{
    return strcmp(c->name, "day") == 0;
}

static enum postgres_type column_type(const struct ledger_column *c)
{
    switch (c->type) {
    case LEDGER_BLOB: return POSTGRES_UUIDS;
    case LEDGER_TEXT: return POSTGRES_TEXTS;
    case LEDGER_NUMBER: break;
    }
    if (is_time(c)) return POSTGRES_TIMES;
    return is_day(c) ? POSTGRES_DATES : POSTGRES_INT8S;
}

struct ledger_batch *ledger_batch_new(void)
{
    struct ledger_batch *b = mem_zalloc(1, sizeof *b);
    ledger_reader_init(&b->reader);
    for (int i = 0; i < LISTS; i++)
        postgres_array_init(&b->lists[i], type_of((enum list)i));
    for (int i = 0; i < LEDGER_COLUMNS; i++)
        postgres_array_init(&b->columns[i], column_type(&ledger_columns[i]));
    return b;
}

void ledger_batch_free(struct ledger_batch *b)
{
    if (!b) return;
    for (int i = 0; i < LISTS; i++)
        postgres_array_clear(&b->lists[i]);
    for (int i = 0; i < LEDGER_COLUMNS; i++)
        postgres_array_clear(&b->columns[i]);
    ledger_reader_clear(&b->reader);
    mem_free(b);
}

void ledger_batch_reset(struct ledger_batch *b)
{
    for (int i = 0; i < LISTS; i++)
        postgres_array_reset(&b->lists[i]);
    for (int i = 0; i < LEDGER_COLUMNS; i++)
        postgres_array_reset(&b->columns[i]);
    b->rows = b->bytes = b->day_count = 0;
    b->last = 0;
}

/* ---- One entry. */

static void add_int(struct ledger_batch *b, enum list list, int64_t value)
{
    postgres_array_add_int(&b->lists[list], value);
}

static void add_column(struct postgres_array *a, const struct ledger_column *c, const struct ledger_record *r)
{
    const char *at = (const char *)r + c->offset;
    int64_t number;
    struct slice text;
    switch (c->type) {
    case LEDGER_BLOB: postgres_array_add_bytes(a, slice_of(at, LEDGER_ID_BYTES)); return;
    case LEDGER_TEXT:
        memcpy(&text, at, sizeof text);
        postgres_array_add_text(a, text);
        return;
    case LEDGER_NUMBER: break;
    }
    memcpy(&number, at, sizeof number);
    if (is_time(c)) postgres_array_add_time(a, number);
    else if (is_day(c)) postgres_array_add_day(a, number);
    else postgres_array_add_int(a, number);
}

static void add_line(struct ledger_batch *b, const struct ledger_share *where, bool is_request)
{
    const struct ledger_record *r = &b->record;
    const struct ledger_paid *p = &where->paid;
    const int64_t numbers[] = {is_request,       is_request && r->is_denied, is_request && r->is_failed,
                               is_request ? r->unpriced : 0, p->input_tokens, p->cached_tokens, p->output_tokens,
                               p->reasoning_tokens, p->cost_nano, is_request ? r->saved_nano : 0};
    add_int(b, LINE_SEQ, (int64_t)b->last);
    postgres_array_add_text(&b->lists[LINE_MODEL], where->model);
    postgres_array_add_text(&b->lists[LINE_PROVIDER], where->provider);
    for (int i = 0; i < 10; i++)
        add_int(b, (enum list)(LINE_NUMBERS + i), numbers[i]);
}

/* The request is counted where its last attempt went: mostly the one that was paid, and then it is one line. */
static void add_lines(struct ledger_batch *b)
{
    const struct ledger_record *r = &b->record;
    struct ledger_share last = {r->model, r->provider, {0}};
    bool is_counted = false;
    for (size_t i = 0; i < r->share_count; i++) {
        const struct ledger_share *share = &r->shares[i];
        bool is_last = !is_counted && slice_equal(share->model, last.model) &&
                       slice_equal(share->provider, last.provider);
        add_line(b, share, is_last);
        is_counted |= is_last;
    }
    if (!is_counted) add_line(b, &last, true);
}

static void add_labels(struct ledger_batch *b)
{
    for (size_t i = 0; i < b->record.label_count; i++) {
        add_int(b, LABEL_SEQ, (int64_t)b->last);
        postgres_array_add_text(&b->lists[LABEL_NAME], b->record.labels[i].name);
        postgres_array_add_text(&b->lists[LABEL_VALUE], b->record.labels[i].value);
    }
}

static void add_record(struct ledger_batch *b)
{
    add_int(b, RECORD_SEQ, (int64_t)b->last);
    for (int i = 0; i < LEDGER_COLUMNS; i++)
        add_column(&b->columns[i], &ledger_columns[i], &b->record);
    add_lines(b);
    add_labels(b);
}

static void add_audit(struct ledger_batch *b, const struct ledger_batch_entry *e, int64_t time_us)
{
    postgres_array_add_time(&b->lists[AUDIT_TIME], time_us);
    add_int(b, AUDIT_SEQ, (int64_t)e->seq);
    add_int(b, AUDIT_KIND, e->kind);
    postgres_array_add_bytes(&b->lists[AUDIT_BODY], e->body);
    postgres_array_add_bytes(&b->lists[AUDIT_HASH], slice_of((const char *)e->hash, CHAIN_HASH_BYTES));
}

/* Mostly the same as the one before. */
static void note_day(struct ledger_batch *b, int64_t time_us)
{
    int32_t day = (int32_t)(time_us / DAY_US);
    for (size_t i = b->day_count; i > 0; i--) {
        if (b->days[i - 1] == day) return;
    }
    b->days[b->day_count++] = day;
}

void ledger_batch_add(struct ledger_batch *b, const struct ledger_batch_entry *e)
{
    check(b->rows < LIMIT_SHIP_ROWS);
    ledger_record_read(&b->reader, &b->record, e->kind, e->body, e->id);
    b->record.day = e->day;
    b->last = e->seq;
    memcpy(b->last_hash, e->hash, CHAIN_HASH_BYTES);
    /* An entry that does not say its time stands by the one before it. */
    int64_t time_us = b->record.time_us;
    if (time_us <= 0) time_us = b->time_us ? b->time_us : (int64_t)(clock_wall_ns() / 1000);
    b->time_us = time_us;
    if (e->id) b->record.time_us = time_us;
    note_day(b, time_us);
    add_audit(b, e, time_us);
    if (e->id) add_record(b);
    b->rows++;
    b->bytes += e->body.len;
}

void ledger_batch_add_anchor(struct ledger_batch *b, const struct ledger_batch_anchor *a)
{
    add_int(b, ANCHOR_SEQ, (int64_t)a->seq);
    postgres_array_add_time(&b->lists[ANCHOR_TIME], a->time_us);
    postgres_array_add_bytes(&b->lists[ANCHOR_HASH], slice_of((const char *)a->hash, CHAIN_HASH_BYTES));
    postgres_array_add_bytes(&b->lists[ANCHOR_SIGNATURE], a->signature);
}

bool ledger_batch_is_full(const struct ledger_batch *b)
{
    return b->rows >= LIMIT_SHIP_ROWS || b->bytes >= LIMIT_SHIP_BYTES;
}

size_t ledger_batch_rows(const struct ledger_batch *b)
{
    return b->rows;
}

size_t ledger_batch_anchors(const struct ledger_batch *b)
{
    return b->lists[ANCHOR_SEQ].count;
}

uint64_t ledger_batch_last(const struct ledger_batch *b, uint8_t hash[CHAIN_HASH_BYTES])
{
    memcpy(hash, b->last_hash, CHAIN_HASH_BYTES);
    return b->last;
}

const int32_t *ledger_batch_days(const struct ledger_batch *b, size_t *count)
{
    *count = b->day_count;
    return b->days;
}

/* ---- The statement. */

/* In PostgreSQL `user` unquoted is the name of whoever asks: a trap for who sums up by it. */
static const char *column_name(const struct ledger_column *c)
{
    if (is_time(c)) return "time";
    return strcmp(c->name, "user") == 0 ? "user_name" : c->name;
}

static const char *type_name(enum postgres_type type)
{
    switch (type) {
    case POSTGRES_TEXTS: return "text[]";
    case POSTGRES_BYTEAS: return "bytea[]";
    case POSTGRES_UUIDS: return "uuid[]";
    case POSTGRES_TIMES: return "timestamptz[]";
    case POSTGRES_DATES: return "date[]";
    case POSTGRES_INT8S: return "int8[]";
    case POSTGRES_INT8:
    case POSTGRES_TEXT:
    case POSTGRES_BYTEA: break;
    }
    return "";
}

/* unnest($6::int8[],$7::text[],…) */
static void add_unnest(struct buf *sql, unsigned first, enum list from, enum list to)
{
    buf_append(sql, SLICE("unnest("));
    for (enum list i = from; i < to; i++)
        buf_printf(sql, "%s$%u::%s", i > from ? "," : "", first + i, type_name(type_of(i)));
    buf_append_char(sql, ')');
}

static void add_audit_sql(struct buf *sql, unsigned first)
{
    buf_append(sql, SLICE(", a AS (INSERT INTO moongate.audit(gw, time, seq, kind, body, hash) SELECT m.gw, u.* "
                          "FROM moved m, "));
    add_unnest(sql, first, AUDIT_TIME, RECORD_SEQ);
    buf_append(sql, SLICE(" u)"));
}

static void add_names(struct buf *sql)
{
    for (int i = 0; i < LEDGER_COLUMNS; i++)
        buf_printf(sql, ", %s", column_name(&ledger_columns[i]));
}

static void add_records_sql(struct buf *sql, unsigned first)
{
    buf_append(sql, SLICE(", r AS (INSERT INTO moongate.records(gw, seq"));
    add_names(sql);
    buf_printf(sql, ") SELECT m.gw, u.* FROM moved m, unnest($%u::int8[]", first + RECORD_SEQ);
    for (int i = 0; i < LEDGER_COLUMNS; i++)
        buf_printf(sql, ",$%u::%s", first + LISTS + (unsigned)i, type_name(column_type(&ledger_columns[i])));
    buf_append(sql, SLICE(") u ON CONFLICT DO NOTHING RETURNING gw, seq, day, department, app, user_name, key_id, "
                          "input_tokens, output_tokens, cost_nano)"));
}

/* A sum ends at the largest bigint, as it does in ledger.db. */
#define MOST "9223372036854775807"

static void add_rollup_sql(struct buf *sql, unsigned first)
{
    buf_append(sql, SLICE(", s AS (INSERT INTO moongate.rollup AS t SELECT r.day, r.department, r.app, r.user_name, "
                          "l.model, l.provider, r.key_id, r.gw"));
    for (int i = 0; i < 10; i++)
        buf_printf(sql, ", least(sum(l.%s), " MOST ")::int8", sums[i]);
    buf_append(sql, SLICE(" FROM r JOIN "));
    add_unnest(sql, first, LINE_SEQ, LABEL_SEQ);
    buf_append(sql, SLICE(" AS l(seq, model, provider"));
    for (int i = 0; i < 10; i++)
        buf_printf(sql, ", %s", sums[i]);
    buf_append(sql, SLICE(") USING (seq) GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1, 2, 3, 4, 5, 6, 7 "
                          "ON CONFLICT (day, department, app, user_name, model, provider, key_id, shard) DO UPDATE SET "));
    for (int i = 0; i < 10; i++)
        buf_printf(sql, "%s%s = least(t.%s::numeric + excluded.%s, " MOST ")::int8", i ? ", " : "", sums[i], sums[i],
                   sums[i]);
    buf_append_char(sql, ')');
}

static void add_label_sql(struct buf *sql, unsigned first)
{
    static const char *const own[] = {"requests", "input_tokens", "output_tokens", "cost_nano"};
    buf_append(sql, SLICE(", g AS (INSERT INTO moongate.rollup_label AS t SELECT r.day, l.label, l.value, r.gw, count(*)"));
    for (int i = 1; i < 4; i++)
        buf_printf(sql, ", least(sum(r.%s), " MOST ")::int8", own[i]);
    buf_append(sql, SLICE(" FROM r JOIN "));
    add_unnest(sql, first, LABEL_SEQ, ANCHOR_SEQ);
    buf_append(sql, SLICE(" AS l(seq, label, value) USING (seq) GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3 "
                          "ON CONFLICT (day, label, value, shard) DO UPDATE SET "));
    for (int i = 0; i < 4; i++)
        buf_printf(sql, "%s%s = least(t.%s::numeric + excluded.%s, " MOST ")::int8", i ? ", " : "", own[i], own[i], own[i]);
    buf_append_char(sql, ')');
}

static void add_anchor_sql(struct buf *sql, unsigned first)
{
    buf_append(sql, SLICE(", w AS (INSERT INTO moongate.anchor(gw, seq, time, hash, signature) SELECT m.gw, u.* "
                          "FROM moved m, "));
    add_unnest(sql, first, ANCHOR_SEQ, LISTS);
    buf_append(sql, SLICE(" u ON CONFLICT DO NOTHING)"));
}

void ledger_batch_sql(struct buf *sql, unsigned first)
{
    add_audit_sql(sql, first);
    add_records_sql(sql, first);
    add_rollup_sql(sql, first);
    add_label_sql(sql, first);
    add_anchor_sql(sql, first);
    /* Heads that were signed before, and are others now. */
    buf_append(sql, SLICE(" SELECT (SELECT count(*) FROM moved), (SELECT count(*) FROM r), "
                          "(SELECT count(*) FROM moved m JOIN moongate.anchor o ON o.gw = m.gw JOIN "));
    add_unnest(sql, first, ANCHOR_SEQ, LISTS);
    buf_append(sql, SLICE(" AS u(seq, time, hash, signature) ON o.seq = u.seq AND o.hash <> u.hash)"));
}

void ledger_batch_param_list(struct ledger_batch *b, struct postgres_param params[LEDGER_BATCH_PARAMS])
{
    for (int i = 0; i < LISTS; i++)
        params[i] = postgres_array_param(&b->lists[i]);
    for (int i = 0; i < LEDGER_COLUMNS; i++)
        params[LISTS + i] = postgres_array_param(&b->columns[i]);
}
