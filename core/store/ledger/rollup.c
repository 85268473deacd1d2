#include "store/ledger/rollup.h"

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"

static struct slice key_of(const void *owner, uint32_t item)
{
    const struct ledger_sums *s = owner;
    return slice_of(buf_ptr(&s->keys) + s->rows[item].key, s->rows[item].key_bytes);
}

static void sums_init(struct ledger_sums *s)
{
    *s = (struct ledger_sums){0};
    buf_init(&s->keys);
    map_init(&s->map, key_of, s);
}

static void sums_reset(struct ledger_sums *s)
{
    if (s->count) map_clear(&s->map);
    buf_reset(&s->keys);
    s->count = 0;
}

static void sums_clear(struct ledger_sums *s)
{
    map_clear(&s->map);
    buf_clear(&s->keys);
    mem_free(s->rows);
    *s = (struct ledger_sums){0};
}

void ledger_rollup_init(struct ledger_rollup *r)
{
    *r = (struct ledger_rollup){0};
    sums_init(&r->days);
    sums_init(&r->labels);
}

static void into_clear(struct ledger_into *into)
{
    sqlite3_finalize(into->add);
    sqlite3_finalize(into->make);
    *into = (struct ledger_into){NULL};
}

void ledger_rollup_clear(struct ledger_rollup *r)
{
    into_clear(&r->day_table);
    into_clear(&r->label_table);
    sums_clear(&r->days);
    sums_clear(&r->labels);
}

void ledger_rollup_reset(struct ledger_rollup *r)
{
    sums_reset(&r->days);
    sums_reset(&r->labels);
}

bool ledger_rollup_is_full(const struct ledger_rollup *r)
{
    return r->days.count >= LIMIT_LEDGER_SUMS || r->labels.count >= LIMIT_LEDGER_SUMS;
}

/* ---- Adding up. */

/* The row of that key, made when there is none. The key is put behind the others before it is looked for. */
static struct ledger_sum *sum_of(struct ledger_sums *s, int64_t day, const struct slice *texts, size_t count)
{
    size_t at = buf_len(&s->keys);
    uint32_t item;
    buf_append(&s->keys, slice_of((const char *)&day, sizeof day));
    for (size_t i = 0; i < count; i++) {
        uint16_t len = (uint16_t)texts[i].len;
        buf_append(&s->keys, slice_of((const char *)&len, sizeof len));
        buf_append(&s->keys, texts[i]);
    }
    size_t bytes = buf_len(&s->keys) - at;
    if (map_find(&s->map, slice_of(buf_ptr(&s->keys) + at, bytes), &item)) {
        s->keys.end -= bytes;
        return &s->rows[item];
    }
    if (s->count == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 64;
        s->rows = mem_realloc(s->rows, s->cap * sizeof *s->rows);
    }
    s->rows[s->count] = (struct ledger_sum){.key = at, .key_bytes = bytes};
    map_add(&s->map, s->count);
    return &s->rows[s->count++];
}

static void say_full(void)
{
    log_event(LOG_ERROR, "ledger_sum_full", "a sum of a day would be more than %lld and stays there",
              (long long)INT64_MAX);
}

static void add_all(struct ledger_sum *row, const int64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!ledger_add(&row->sums[i], numbers[i])) say_full();
    }
}

static void add_day(struct ledger_rollup *r, const struct ledger_record *rec, const struct ledger_share *where,
                    const struct ledger_paid *p, bool is_request)
{
    const struct slice texts[ROLLUP_TEXTS] = {rec->department, rec->app,        rec->user,
                                           where->model,    where->provider, rec->key_id};
    const int64_t numbers[ROLLUP_SUMS] = {is_request,
                                          is_request && rec->is_denied,
                                          is_request && rec->is_failed,
                                          is_request ? rec->unpriced : 0,
                                          p->input_tokens,
                                          p->cached_tokens,
                                          p->output_tokens,
                                          p->reasoning_tokens,
                                          p->cost_nano,
                                          is_request ? rec->saved_nano : 0};
    add_all(sum_of(&r->days, rec->day, texts, ROLLUP_TEXTS), numbers, ROLLUP_SUMS);
}

void ledger_rollup_add(struct ledger_rollup *r, const struct ledger_record *rec)
{
    const struct ledger_share last = {rec->model, rec->provider, {0}};
    add_day(r, rec, &last, &last.paid, true);
    for (size_t i = 0; i < rec->share_count; i++)
        add_day(r, rec, &rec->shares[i], &rec->shares[i].paid, false);
    const int64_t numbers[LABEL_SUMS] = {1, rec->paid.input_tokens, rec->paid.output_tokens, rec->paid.cost_nano};
    for (size_t i = 0; i < rec->label_count; i++) {
        const struct slice texts[LABEL_TEXTS] = {rec->labels[i].name, rec->labels[i].value};
        add_all(sum_of(&r->labels, rec->day, texts, LABEL_TEXTS), numbers, LABEL_SUMS);
    }
}

/* ---- Into the tables. */

/* ledger_add(a, b): a + b, at most INT64_MAX. SQLite's own + would make a floating-point number of it. */
static void on_add(sqlite3_context *context, int count, sqlite3_value **values)
{
    int64_t sum = sqlite3_value_int64(values[0]);
    check(count == 2);
    if (!ledger_add(&sum, sqlite3_value_int64(values[1]))) say_full();
    sqlite3_result_int64(context, sum);
}

static bool prepare(sqlite3 *db, sqlite3_stmt **q, const char *format, const char *table, const char *rest)
{
    struct buf sql;
    buf_init(&sql);
    buf_printf(&sql, format, table, rest);
    int rc = sqlite3_prepare_v3(db, buf_ptr(&sql), (int)buf_len(&sql), SQLITE_PREPARE_PERSISTENT, q, NULL);
    buf_clear(&sql);
    return rc == SQLITE_OK;
}

/* Nearly always the row is there: an UPDATE takes half of what an upsert does. */
static bool prepare_table(struct ledger_into *into, sqlite3 *db, const char *table, const char *values,
                          const char *adds)
{
    into->db = db;
    return prepare(db, &into->make, "INSERT INTO %s VALUES(%s)", table, values) &&
           prepare(db, &into->add, "UPDATE %s SET %s", table, adds);
}

#define ADD(sum, at) #sum " = ledger_add(" #sum ", ?" #at ")"

bool ledger_rollup_install(struct ledger_rollup *r, sqlite3 *db, const char *days, const char *labels)
{
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
    return sqlite3_create_function(db, "ledger_add", 2, flags, NULL, on_add, NULL, NULL) == SQLITE_OK &&
           prepare_table(&r->day_table, db, days, "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?",
                         ADD(requests, 8) "," ADD(denied, 9) "," ADD(failed, 10) "," ADD(unpriced, 11) "," ADD(
                             input_tokens, 12) "," ADD(cached_tokens, 13) "," ADD(output_tokens, 14) "," ADD(
                             reasoning_tokens, 15) "," ADD(cost_nano, 16) "," ADD(saved_nano, 17)
                         " WHERE day = ?1 AND department = ?2 AND app = ?3 AND user = ?4 AND model = ?5"
                         " AND provider = ?6 AND key_id = ?7") &&
           prepare_table(&r->label_table, db, labels, "?,?,?,?,?,?,?",
                         ADD(requests, 4) "," ADD(input_tokens, 5) "," ADD(output_tokens, 6) "," ADD(cost_nano, 7)
                         " WHERE day = ?1 AND label = ?2 AND value = ?3");
}

int64_t ledger_sums_key(const struct ledger_sums *s, uint32_t i, struct slice *texts, size_t count)
{
    const char *p = buf_ptr(&s->keys) + s->rows[i].key;
    int64_t day;
    memcpy(&day, p, sizeof day);
    p += sizeof day;
    for (size_t t = 0; t < count; t++) {
        uint16_t len;
        memcpy(&len, p, sizeof len);
        p += sizeof len;
        texts[t] = slice_of(p, len);
        p += len;
    }
    return day;
}

static void bind_row(const struct ledger_sums *s, uint32_t i, sqlite3_stmt *q, int texts, int sums)
{
    struct slice text[ROLLUP_TEXTS];
    int at = 1;
    sqlite3_bind_int64(q, at++, ledger_sums_key(s, i, text, (size_t)texts));
    for (int t = 0; t < texts; t++)
        sqlite3_bind_text(q, at++, text[t].ptr, (int)text[t].len, SQLITE_STATIC);
    for (int n = 0; n < sums; n++)
        sqlite3_bind_int64(q, at++, s->rows[i].sums[n]);
}

static bool run(sqlite3_stmt *q)
{
    bool is_good = sqlite3_step(q) == SQLITE_DONE;
    sqlite3_reset(q);
    return is_good;
}

static bool write_row(const struct ledger_sums *s, uint32_t i, const struct ledger_into *into, int texts, int sums)
{
    bind_row(s, i, into->add, texts, sums);
    if (!run(into->add)) return false;
    if (sqlite3_changes(into->db)) return true;
    bind_row(s, i, into->make, texts, sums);
    return run(into->make);
}

static bool write_all(struct ledger_sums *s, const struct ledger_into *into, int texts, int sums)
{
    bool is_good = true;
    for (uint32_t i = 0; i < s->count && is_good; i++)
        is_good = write_row(s, i, into, texts, sums);
    sums_reset(s);
    return is_good;
}

bool ledger_rollup_write(struct ledger_rollup *r)
{
    return write_all(&r->days, &r->day_table, ROLLUP_TEXTS, ROLLUP_SUMS) &&
           write_all(&r->labels, &r->label_table, LABEL_TEXTS, LABEL_SUMS);
}
