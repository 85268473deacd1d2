#include "store/ledger/batch.h"

#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "store/ledger/record.h"
#include "store/ledger/rollup.h"
#include "store/postgres_rows.h"

#define DAY_US (86400ll * 1000000)

const char *const ledger_batch_types[BATCH_KINDS] = {"moongate.audit_row", "moongate.record_row", "moongate.line_row",
                                                     "moongate.label_row", "moongate.anchor_row"};

static const char *const sums[] = {"requests",      "denied",           "failed",    "unpriced",  "input_tokens",
                                   "cached_tokens", "output_tokens",    "reasoning_tokens", "cost_nano", "saved_nano"};
#define SUMS (int)(sizeof sums / sizeof *sums)

struct ledger_batch {
    struct postgres_rows rows[BATCH_KINDS];
    struct ledger_reader reader;
    struct ledger_record record;
    struct ledger_rollup sums;
    size_t bytes;
    uint64_t last;
    uint8_t last_hash[CHAIN_HASH_BYTES];
    int64_t time_us; /* of the entry before */
    int32_t days[LIMIT_SHIP_DAYS];
    size_t day_count;
};

static bool is_time(const struct ledger_column *c)
{
    return strcmp(c->name, "time_us") == 0;
}

static bool is_day(const struct ledger_column *c)
{
    return strcmp(c->name, "day") == 0;
}

struct ledger_batch *ledger_batch_new(void)
{
    struct ledger_batch *b = mem_zalloc(1, sizeof *b);
    ledger_reader_init(&b->reader);
    ledger_rollup_init(&b->sums);
    for (int i = 0; i < BATCH_KINDS; i++)
        postgres_rows_init(&b->rows[i]);
    return b;
}

void ledger_batch_free(struct ledger_batch *b)
{
    if (!b) return;
    for (int i = 0; i < BATCH_KINDS; i++)
        postgres_rows_clear(&b->rows[i]);
    ledger_reader_clear(&b->reader);
    ledger_rollup_clear(&b->sums);
    mem_free(b);
}

void ledger_batch_reset(struct ledger_batch *b)
{
    for (int i = 0; i < BATCH_KINDS; i++)
        postgres_rows_reset(&b->rows[i]);
    ledger_rollup_reset(&b->sums);
    b->bytes = b->day_count = 0;
    b->last = 0;
}

/* ---- One entry. */

static void add_column(struct postgres_rows *rows, const struct ledger_column *c, const struct ledger_record *r)
{
    const char *at = (const char *)r + c->offset;
    int64_t number;
    struct slice text;
    switch (c->type) {
    case LEDGER_BLOB: postgres_rows_add_uuid(rows, (const uint8_t *)at); return;
    case LEDGER_TEXT:
        memcpy(&text, at, sizeof text);
        postgres_rows_add_text(rows, text);
        return;
    case LEDGER_NUMBER: break;
    }
    memcpy(&number, at, sizeof number);
    if (is_time(c)) postgres_rows_add_time(rows, number);
    else if (is_day(c)) postgres_rows_add_day(rows, number);
    else postgres_rows_add_int(rows, number);
}

/* Each begins with the entry's seq. */
static struct postgres_rows *begin_row(struct ledger_batch *b, enum ledger_batch_rows kind)
{
    postgres_rows_begin(&b->rows[kind]);
    postgres_rows_add_int(&b->rows[kind], (int64_t)b->last);
    return &b->rows[kind];
}

static void add_line(struct ledger_batch *b, const struct ledger_share *where, bool is_request)
{
    const struct ledger_record *r = &b->record;
    const struct ledger_paid *p = &where->paid;
    const int64_t numbers[] = {is_request,       is_request && r->is_denied, is_request && r->is_failed,
                               is_request ? r->unpriced : 0, p->input_tokens, p->cached_tokens, p->output_tokens,
                               p->reasoning_tokens, p->cost_nano, is_request ? r->saved_nano : 0};
    struct postgres_rows *rows = begin_row(b, BATCH_LINES);
    postgres_rows_add_text(rows, where->model);
    postgres_rows_add_text(rows, where->provider);
    for (int i = 0; i < SUMS; i++)
        postgres_rows_add_int(rows, numbers[i]);
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
        struct postgres_rows *rows = begin_row(b, BATCH_LABELS);
        postgres_rows_add_text(rows, b->record.labels[i].name);
        postgres_rows_add_text(rows, b->record.labels[i].value);
    }
}

static void add_record(struct ledger_batch *b)
{
    struct postgres_rows *rows = begin_row(b, BATCH_RECORDS);
    for (int i = 0; i < LEDGER_COLUMNS; i++)
        add_column(rows, &ledger_columns[i], &b->record);
    add_lines(b);
    add_labels(b);
    ledger_rollup_add(&b->sums, &b->record);
}

static void add_audit(struct ledger_batch *b, const struct ledger_batch_entry *e, int64_t time_us)
{
    struct postgres_rows *rows = begin_row(b, BATCH_AUDIT);
    postgres_rows_add_time(rows, time_us);
    postgres_rows_add_int(rows, e->kind);
    postgres_rows_add_bytes(rows, e->body);
    postgres_rows_add_bytes(rows, slice_of((const char *)e->hash, CHAIN_HASH_BYTES));
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
    check(ledger_batch_rows(b) < LIMIT_SHIP_ROWS && b->day_count < LIMIT_SHIP_DAYS);
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
    b->bytes += e->body.len;
}

void ledger_batch_add_anchor(struct ledger_batch *b, const struct ledger_batch_anchor *a)
{
    struct postgres_rows *rows = &b->rows[BATCH_ANCHORS];
    postgres_rows_begin(rows);
    postgres_rows_add_int(rows, (int64_t)a->seq);
    postgres_rows_add_time(rows, a->time_us);
    postgres_rows_add_bytes(rows, slice_of((const char *)a->hash, CHAIN_HASH_BYTES));
    postgres_rows_add_bytes(rows, a->signature);
}

size_t ledger_batch_rows(const struct ledger_batch *b)
{
    return b->rows[BATCH_AUDIT].count;
}

size_t ledger_batch_anchors(const struct ledger_batch *b)
{
    return b->rows[BATCH_ANCHORS].count;
}

bool ledger_batch_is_full(const struct ledger_batch *b)
{
    return ledger_batch_rows(b) >= LIMIT_SHIP_ROWS || b->bytes >= LIMIT_SHIP_BYTES || b->day_count >= LIMIT_SHIP_DAYS;
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

static void add_rows_sql(struct buf *sql, unsigned first, enum ledger_batch_rows kind)
{
    buf_printf(sql, "unnest($%u::%s[])", first + kind, ledger_batch_types[kind]);
}

void ledger_batch_target(struct buf *sql, enum ledger_batch_rows kind)
{
    if (kind == BATCH_AUDIT) {
        buf_append(sql, SLICE("moongate.audit(gw, seq, time, kind, body, hash)"));
        return;
    }
    buf_append(sql, SLICE("moongate.records(gw, seq"));
    for (int i = 0; i < LEDGER_COLUMNS; i++)
        buf_printf(sql, ", %s", column_name(&ledger_columns[i]));
    buf_append_char(sql, ')');
}

static void add_audit_sql(struct buf *sql, unsigned first)
{
    buf_append(sql, SLICE(", a AS (INSERT INTO "));
    ledger_batch_target(sql, BATCH_AUDIT);
    buf_append(sql, SLICE(" SELECT m.gw, u.* FROM moved m, "));
    add_rows_sql(sql, first, BATCH_AUDIT);
    buf_append(sql, SLICE(" u)"));
}

static void add_records_sql(struct buf *sql, unsigned first)
{
    buf_append(sql, SLICE(", r AS (INSERT INTO "));
    ledger_batch_target(sql, BATCH_RECORDS);
    buf_append(sql, SLICE(" SELECT m.gw, u.* FROM moved m, "));
    add_rows_sql(sql, first, BATCH_RECORDS);
    buf_append(sql, SLICE(" u ON CONFLICT DO NOTHING RETURNING gw, seq, day, department, app, user_name, key_id, "
                          "input_tokens, output_tokens, cost_nano)"));
}

/* Sums end at the largest bigint, as they do in ledger.db. */
#define MOST "9223372036854775807"

static void add_sums_sql(struct buf *sql, const char *from, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        buf_printf(sql, ", least(sum(%s.%s), " MOST ")::int8", from, names[i]);
}

static void add_update_sql(struct buf *sql, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        buf_printf(sql, "%s%s = least(t.%s::numeric + excluded.%s, " MOST ")::int8", i ? ", " : " DO UPDATE SET ",
                   names[i], names[i], names[i]);
    buf_append_char(sql, ')');
}

#define DAY_KEY "day, department, app, user_name, model, provider, key_id, shard"
#define LABEL_KEY "day, label, value, shard"

static const char *const label_sums[] = {"requests", "input_tokens", "output_tokens", "cost_nano"};

static void add_rollup_sql(struct buf *sql, unsigned first)
{
    buf_append(sql, SLICE(", s AS (INSERT INTO moongate.rollup AS t SELECT r.day, r.department, r.app, r.user_name, "
                          "l.model, l.provider, r.key_id, r.gw"));
    add_sums_sql(sql, "l", sums, SUMS);
    buf_append(sql, SLICE(" FROM r JOIN "));
    add_rows_sql(sql, first, BATCH_LINES);
    buf_append(sql, SLICE(" l USING (seq) GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1, 2, 3, 4, 5, 6, 7 "
                          "ON CONFLICT (" DAY_KEY ")"));
    add_update_sql(sql, sums, SUMS);
}

static void add_label_sql(struct buf *sql, unsigned first)
{
    buf_append(sql, SLICE(", g AS (INSERT INTO moongate.rollup_label AS t "
                          "SELECT r.day, l.label, l.value, r.gw, count(*)"));
    add_sums_sql(sql, "r", label_sums + 1, 3);
    buf_append(sql, SLICE(" FROM r JOIN "));
    add_rows_sql(sql, first, BATCH_LABELS);
    buf_append(sql, SLICE(" l USING (seq) GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3 "
                          "ON CONFLICT (" LABEL_KEY ")"));
    add_update_sql(sql, label_sums, LABEL_SUMS);
}

static void add_anchor_sql(struct buf *sql, unsigned param)
{
    const char *type = ledger_batch_types[BATCH_ANCHORS];
    buf_printf(sql,
               ", w AS (INSERT INTO moongate.anchor(gw, seq, time, hash, signature) SELECT m.gw, u.* FROM moved m, "
               "unnest($%u::%s[]) u ON CONFLICT DO NOTHING) SELECT (SELECT count(*) FROM moved), "
               "(SELECT count(*) FROM moved m JOIN moongate.anchor o ON o.gw = m.gw JOIN unnest($%u::%s[]) u "
               "ON o.seq = u.seq AND o.hash <> u.hash)",
               param, type, param, type);
}

void ledger_batch_sql(struct buf *sql, unsigned first)
{
    add_audit_sql(sql, first);
    add_records_sql(sql, first);
    add_rollup_sql(sql, first);
    add_label_sql(sql, first);
    add_anchor_sql(sql, first + BATCH_ANCHORS);
}

const char *const ledger_batch_sum_types[] = {"moongate.rollup", "moongate.rollup_label"};

/* Texts that differ may be the same there: what no text of PostgreSQL's can hold becomes U+FFFD. */
static void add_own_sums_sql(struct buf *sql, unsigned param, int which, const char *key, const char *const *names,
                             int count)
{
    const char *table = ledger_batch_sum_types[which];
    buf_printf(sql, ", s%d AS (INSERT INTO %s AS t SELECT %s", which, table, key);
    add_sums_sql(sql, "u", names, count);
    buf_printf(sql, " FROM moved, unnest($%u::%s[]) u GROUP BY %s ORDER BY %s ON CONFLICT (%s)", param, table, key, key,
               key);
    add_update_sql(sql, names, count);
}

void ledger_batch_sums_sql(struct buf *sql, unsigned first)
{
    add_own_sums_sql(sql, first, 0, DAY_KEY, sums, SUMS);
    add_own_sums_sql(sql, first + 1, 1, LABEL_KEY, label_sums, LABEL_SUMS);
    add_anchor_sql(sql, first + 2);
}

struct postgres_rows *ledger_batch_rows_of(struct ledger_batch *b, enum ledger_batch_rows kind)
{
    return &b->rows[kind];
}

const struct ledger_rollup *ledger_batch_sums(const struct ledger_batch *b)
{
    return &b->sums;
}

void ledger_batch_param_list(struct ledger_batch *b, const uint32_t types[BATCH_KINDS],
                             struct postgres_param params[BATCH_KINDS])
{
    for (int i = 0; i < BATCH_KINDS; i++)
        params[i] = postgres_rows_param(&b->rows[i], types[i]);
}
