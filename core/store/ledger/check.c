#include "store/column.h"
#include "store/ledger/check.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/visible.h"
#include "store/change.h"
#include "store/ledger/alerts.h"
#include "store/ledger/days.h"
#include "store/ledger/ledger_inner.h"
#include "store/ledger/lock.h"
#include "store/ledger/row.h"
#include "store/ledger/schema.h"

struct checker {
    const struct ledger_check *how;
    struct ledger_checked *found;
    sqlite3 *db;
    char *path;
    sqlite3_stmt *get, *put; /* a row of records */
    struct known {
        sqlite3_stmt *get, *put;
    } intents, changes; /* rows by which what comes again is known */
    sqlite3_stmt *told; /* a row of temp.made_alerts */
    struct json_tape tape;
    struct arena arena;
    struct ledger_days days;
    struct ledger_reader reader;
    struct ledger_record record;
    struct ledger_rollup sums;
    struct ledger_charges charges;
    struct fault *why;
};

static bool fail(struct checker *k)
{
    return fault_set(k->why, FAULT_INTERNAL, "%s: %s", k->path, sqlite3_errmsg(k->db));
}

static bool run(struct checker *k, const char *sql)
{
    return sqlite3_exec(k->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail(k);
}

static bool prepare(struct checker *k, sqlite3_stmt **q, const char *sql)
{
    return sqlite3_prepare_v2(k->db, sql, -1, q, NULL) == SQLITE_OK || fail(k);
}

__attribute__((format(printf, 2, 3))) static void differ(struct checker *k, const char *format, ...)
{
    char text[512];
    struct buf line;
    va_list args;
    if (k->found->differences++ >= LIMIT_LEDGER_DIFFERENCES || !k->how->on_difference) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *c = text; *c; c++)
        if (*c == '\n' || *c == '\t') *c = ' ';
    buf_init(&line);
    visible_append(&line, slice_str(text), false); /* what was cut inside a character is a text again */
    buf_append_char(&line, '\0');
    k->how->on_difference(k->how->arg, buf_ptr(&line));
    buf_clear(&line);
}

/* ---- Records. */

static bool is_same(const struct ledger_record *r, const struct ledger_column *c, sqlite3_stmt *q, int at)
{
    const char *field = (const char *)r + c->offset;
    if (c->type == LEDGER_NUMBER) return sqlite3_column_int64(q, at) == *(const int64_t *)field;
    struct slice want = c->type == LEDGER_TEXT ? *(const struct slice *)field : slice_of(field, LEDGER_ID_BYTES);
    return slice_equal(want, column_bytes(q, at));
}

static void tell_column(struct checker *k, uint64_t seq, const struct ledger_column *c, int at)
{
    const char *is = c->type == LEDGER_BLOB ? "another" : (const char *)sqlite3_column_text(k->get, at);
    const char *field = (const char *)&k->record + c->offset;
    if (c->type == LEDGER_NUMBER) {
        differ(k, "records: entry %llu: %s is %s, not %lld", (unsigned long long)seq, c->name, is,
               (long long)*(const int64_t *)field);
    } else {
        struct slice want = c->type == LEDGER_TEXT ? *(const struct slice *)field : SLICE("that of the entry");
        differ(k, "records: entry %llu: %s is '%.100s', not '%.*s'", (unsigned long long)seq, c->name, is,
               (int)(want.len < 100 ? want.len : 100), want.ptr ? want.ptr : "");
    }
}

static bool write_record(struct checker *k, uint64_t seq)
{
    ledger_row_bind(k->put, seq, &k->record);
    bool is_good = sqlite3_step(k->put) == SQLITE_DONE || fail(k);
    sqlite3_reset(k->put);
    return is_good;
}

/* A batch comes to the same as its records one by one: so does any other batch. */
static bool write_charges(struct checker *k)
{
    bool is_good = ledger_charges_write(&k->charges) || fail(k);
    ledger_charges_reset(&k->charges);
    return is_good;
}

static bool add_charges(struct checker *k)
{
    if (!ledger_charges_add(&k->charges, &k->record)) return fail(k);
    return k->charges.count < LIMIT_LEDGER_SUMS || write_charges(k);
}

/* An entry that names no request keeps the id that came with it, if its row is there. */
static bool check_record(struct checker *k, uint64_t seq, enum chain_kind kind, struct slice body)
{
    uint64_t before = k->found->differences;
    sqlite3_bind_int64(k->get, 1, (sqlite3_int64)seq);
    int rc = sqlite3_step(k->get);
    bool is_there = rc == SQLITE_ROW;
    const uint8_t *id = is_there && sqlite3_column_bytes(k->get, 0) == LEDGER_ID_BYTES ? sqlite3_column_blob(k->get, 0)
                                                                                        : NULL;
    ledger_record_read(&k->reader, &k->record, kind, body, id);
    k->record.day = ledger_days_of(&k->days, seq, k->record.time_us);
    if (rc == SQLITE_DONE) differ(k, "records: entry %llu has no row", (unsigned long long)seq);
    for (int i = 0; is_there && i < LEDGER_COLUMNS; i++) {
        if (!is_same(&k->record, &ledger_columns[i], k->get, i)) tell_column(k, seq, &ledger_columns[i], i);
    }
    sqlite3_reset(k->get);
    if (!is_there && rc != SQLITE_DONE) return fail(k);
    ledger_rollup_add(&k->sums, &k->record);
    if (!add_charges(k)) return false;
    k->found->records++;
    bool is_repair = k->how->is_repair && k->found->differences > before;
    if (is_repair && !write_record(k, seq)) return false;
    return !ledger_rollup_is_full(&k->sums) || ledger_rollup_write(&k->sums) || fail(k);
}

/* An intent's row, or that of an administrator's change. */
static bool check_known(struct checker *k, const struct known *rows, const char *table, uint64_t seq, const uint8_t *id)
{
    sqlite3_bind_blob(rows->get, 1, id, LEDGER_ID_BYTES, SQLITE_STATIC);
    sqlite3_bind_int64(rows->get, 2, (sqlite3_int64)seq);
    int rc = sqlite3_step(rows->get);
    sqlite3_reset(rows->get);
    if (rc == SQLITE_ROW) return true;
    if (rc != SQLITE_DONE) return fail(k);
    differ(k, "%s: entry %llu has no row", table, (unsigned long long)seq);
    if (!k->how->is_repair) return true;
    sqlite3_bind_blob(rows->put, 1, id, LEDGER_ID_BYTES, SQLITE_STATIC);
    sqlite3_bind_int64(rows->put, 2, (sqlite3_int64)seq);
    bool is_good = sqlite3_step(rows->put) == SQLITE_DONE || fail(k);
    sqlite3_reset(rows->put);
    return is_good;
}

static void bind_text(sqlite3_stmt *q, int at, struct slice text)
{
    sqlite3_bind_text(q, at, text.ptr ? text.ptr : "", (int)text.len, SQLITE_STATIC);
}

/* A notice that was given. What stands there as one, and is none, is known by nothing. */
static bool add_alert(struct checker *k, uint64_t seq, struct slice body)
{
    struct ledger_alert alert;
    bool is_good = true;
    if (ledger_alert_read(&k->tape, &k->arena, body, &alert)) {
        sqlite3_bind_int64(k->told, 1, (sqlite3_int64)seq);
        bind_text(k->told, 2, alert.key);
        sqlite3_bind_int64(k->told, 3, alert.start_s);
        bind_text(k->told, 4, alert.budget);
        sqlite3_bind_int64(k->told, 5, alert.at);
        is_good = sqlite3_step(k->told) == SQLITE_DONE || fail(k);
        sqlite3_reset(k->told);
    }
    arena_clear(&k->arena);
    return is_good;
}

/* An intent or a change that does not say its id is known by none. */
static bool check_entry(struct checker *k, uint64_t seq, enum chain_kind kind, struct slice body)
{
    uint8_t id[LEDGER_ID_BYTES];
    if (kind == CHAIN_EXCHANGE || kind == CHAIN_IMPORT) return check_record(k, seq, kind, body);
    if (kind == CHAIN_INTENT && ledger_record_id(&k->reader, id, kind, body, NULL)) {
        return check_known(k, &k->intents, "intents", seq, id);
    }
    if (kind == CHAIN_CHANGE && change_read_id(body, id)) return check_known(k, &k->changes, "changes", seq, id);
    if (kind == CHAIN_ALERT) return add_alert(k, seq, body);
    return true;
}

static bool check_entries(struct checker *k)
{
    sqlite3_stmt *q;
    int rc;
    if (!prepare(k, &q, "SELECT seq, kind, body FROM chain ORDER BY seq")) return false;
    bool is_good = true;
    while (is_good && (rc = sqlite3_step(q)) != SQLITE_DONE) {
        if (rc != SQLITE_ROW) {
            is_good = fail(k);
            break;
        }
        k->found->entries++;
        is_good = check_entry(k, (uint64_t)sqlite3_column_int64(q, 0), (enum chain_kind)sqlite3_column_int(q, 1),
                              column_bytes(q, 2));
    }
    sqlite3_finalize(q);
    return is_good;
}

/* ---- What the tables have, told by questions whose rows should not be there. */

/* Each row is one difference: its columns stand between the words. */
static bool check_rows(struct checker *k, const char *sql, const char *what)
{
    sqlite3_stmt *q;
    int rc;
    if (!prepare(k, &q, sql)) return false;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct buf text;
        buf_init(&text);
        for (int i = 0; i < sqlite3_column_count(q); i++)
            buf_printf(&text, " %.100s", (const char *)sqlite3_column_text(q, i));
        differ(k, "%s:%.*s", what, SLICE_FMT(buf_slice(&text)));
        buf_clear(&text);
    }
    sqlite3_finalize(q);
    return rc == SQLITE_DONE || fail(k);
}

/* What should be and what is, in their own ways of saying it; `repair` makes the second the first. */
static bool check_and_repair(struct checker *k, const char *sql, const char *what, const char *repair)
{
    uint64_t before = k->found->differences;
    if (!check_rows(k, sql, what)) return false;
    return !k->how->is_repair || k->found->differences == before || run(k, repair);
}

#define NO_ENTRY " NOT EXISTS (SELECT 1 FROM chain c WHERE c.seq = t.seq AND c.kind IN "

/* What was deleted for its age is known still. */
#define NO_LATER_ENTRY " seq >= (SELECT min(seq) FROM chain) AND" NO_ENTRY "(4))"

static bool check_tables(struct checker *k)
{
    return check_and_repair(k, "SELECT seq FROM records t WHERE" NO_ENTRY "(2, 7))",
                            "records: a row without an entry",
                            "DELETE FROM records AS t WHERE" NO_ENTRY "(2, 7))") &&
           check_and_repair(k, "SELECT seq FROM intents t WHERE" NO_ENTRY "(3))",
                            "intents: a row without an entry", "DELETE FROM intents AS t WHERE" NO_ENTRY "(3))") &&
           check_and_repair(k, "SELECT seq FROM changes t WHERE" NO_LATER_ENTRY, "changes: a row without an entry",
                            "DELETE FROM changes AS t WHERE" NO_LATER_ENTRY) &&
           check_and_repair(k,
                            "SELECT t.seq FROM intents t WHERE open <> NOT EXISTS"
                            " (SELECT 1 FROM records r WHERE r.id = t.id)",
                            "intents: open and recorded, or neither",
                            "UPDATE intents AS t SET open = NOT EXISTS (SELECT 1 FROM records r WHERE r.id = t.id)");
}

/* Sessions begin anew and are told of anew, at a moment that entries do not show; what was told in a period is told no
 * more until no period lasts so long. */
#define SAME_BUDGET " t.key = m.key AND t.start_s = m.start_s AND t.budget = m.budget"
#define FALSELY_TOLD                                                                                                   \
    " t.seq >= (SELECT min(seq) FROM chain) AND NOT EXISTS"                                                            \
    " (SELECT 1 FROM temp.made_alerts m WHERE m.seq = t.seq AND m.at = t.at AND" SAME_BUDGET ")"
#define STILL_TOLD " m.start_s > CAST(strftime('%s') AS INTEGER) - 400 * 86400"
#define NEVER_TOLD                                                                                                     \
    " NOT EXISTS (SELECT 1 FROM temp.made_alerts m WHERE m.seq = t.seq) AND t.seq >= (SELECT min(seq) FROM chain)"

static bool check_alerts(struct checker *k)
{
    _Static_assert(LIMIT_NOTICES_KEPT_S == 400u * 86400u, "STILL_TOLD says the same");
    return check_and_repair(k, "SELECT seq FROM alerts t WHERE" FALSELY_TOLD, "alerts: a row without an entry",
                            "DELETE FROM alerts AS t WHERE" FALSELY_TOLD) &&
           check_and_repair(k,
                            "SELECT seq FROM temp.made_alerts m WHERE" STILL_TOLD " AND NOT EXISTS"
                            " (SELECT 1 FROM alerts t WHERE t.at >= m.at AND" SAME_BUDGET ")",
                            "alerts: an entry without a row",
                            "INSERT INTO alerts SELECT key, start_s, budget, at, seq, strftime('%s') + 0, 0"
                            " FROM temp.made_alerts m WHERE" STILL_TOLD
                            " ON CONFLICT DO UPDATE SET at = excluded.at, seq = excluded.seq"
                            " WHERE excluded.at > at") &&
           check_and_repair(k, "SELECT seq FROM outbox t WHERE" NEVER_TOLD, "outbox: a row without an entry",
                            "DELETE FROM outbox AS t WHERE" NEVER_TOLD);
}

/* ---- Sums: made in temporary tables, then compared. */

static bool compare(struct checker *k, const char *table, const char *had, const char *made, const char *keys)
{
    struct buf sql, repair;
    buf_init(&sql);
    buf_init(&repair);
    buf_printf(&sql,
               "SELECT DISTINCT %s FROM (SELECT * FROM (SELECT * FROM %s EXCEPT SELECT * FROM %s)"
               " UNION ALL SELECT * FROM (SELECT * FROM %s EXCEPT SELECT * FROM %s))",
               keys, made, had, had, made);
    buf_printf(&repair, "DELETE FROM main.%s; INSERT INTO main.%s SELECT * FROM %s", table, table, made);
    buf_append_char(&sql, '\0');
    buf_append_char(&repair, '\0');
    bool is_good = check_and_repair(k, buf_ptr(&sql), table, buf_ptr(&repair));
    buf_clear(&sql);
    buf_clear(&repair);
    return is_good;
}

#define SUMS_OF_BUDGETS LEDGER_CHARGES_COLUMNS(LEDGER_CHARGES_BEGUN ",")

static bool make_tables(struct checker *k)
{
    return run(k, "CREATE TEMP TABLE made(" LEDGER_ROLLUP_COLUMNS ") STRICT, WITHOUT ROWID;"
                  "CREATE TEMP TABLE made_label(" LEDGER_LABEL_COLUMNS ") STRICT, WITHOUT ROWID;"
                  "INSERT INTO made SELECT * FROM rollup_cut; INSERT INTO made_label SELECT * FROM rollup_label_cut;"
                  "CREATE TEMP TABLE made_charges(" SUMS_OF_BUDGETS ") STRICT, WITHOUT ROWID;"
                  "CREATE TEMP TABLE had_charges(" SUMS_OF_BUDGETS ") STRICT, WITHOUT ROWID;"
                  "INSERT INTO made_charges SELECT * FROM charges_cut;"
                  "CREATE TEMP TABLE made_alerts(seq INTEGER PRIMARY KEY, key TEXT NOT NULL, start_s INTEGER NOT NULL,"
                  " budget TEXT NOT NULL, at INTEGER NOT NULL) STRICT") &&
           (ledger_charges_install(&k->charges, k->db, "temp.made_charges") || fail(k)) &&
           (ledger_charges_before(k->db, &k->charges.after_s) || fail(k)) &&
           (ledger_rollup_install(&k->sums, k->db, "temp.made", "temp.made_label") || fail(k));
}

static bool check_sums(struct checker *k)
{
    return (ledger_rollup_write(&k->sums) || fail(k)) &&
           compare(k, "rollup", "main.rollup", "temp.made",
                   "day, department, app, user, model, provider, key_id") &&
           compare(k, "rollup_label", "main.rollup_label", "temp.made_label", "day, label, value");
}

/* Those of long ago may have been forgotten, one sooner than the other. When a session began may not be noted: in a
 * file of before that was, which also took the coming of its last request for its end. */
static bool check_charges(struct checker *k)
{
    char sql[720];
    snprintf(sql, sizeof sql,
             "INSERT INTO temp.had_charges SELECT * FROM main.charges WHERE max(stop_s, last_s + idle_s) > %lld;"
             "DELETE FROM temp.made_charges WHERE max(stop_s, last_s + idle_s) <= %lld;"
             "UPDATE temp.made_charges AS m SET begun_s = 0,"
             " last_s = CASE WHEN m.stop_s THEN m.last_s ELSE h.last_s END"
             " FROM temp.had_charges AS h WHERE h.key = m.key AND h.start_s = m.start_s AND h.begun_s = 0",
             (long long)k->charges.after_s, (long long)k->charges.after_s);
    return write_charges(k) && run(k, sql) &&
           compare(k, "charges", "temp.had_charges", "temp.made_charges", "key, start_s");
}

/* ---- All of it. */

static bool prepare_rows(struct checker *k)
{
    struct buf sql;
    buf_init(&sql);
    ledger_row_select(&sql);
    bool is_good = prepare(k, &k->get, buf_ptr(&sql)) &&
                   prepare(k, &k->told, "INSERT INTO temp.made_alerts VALUES(?, ?, ?, ?, ?)") &&
                   prepare(k, &k->changes.get, "SELECT 1 FROM changes WHERE id = ? AND seq = ?") &&
                   prepare(k, &k->changes.put, "INSERT OR REPLACE INTO changes VALUES(?, ?)") &&
                   prepare(k, &k->intents.get, "SELECT 1 FROM intents WHERE id = ? AND seq = ?") &&
                   prepare(k, &k->intents.put, "INSERT OR REPLACE INTO intents SELECT ?1, ?2, zeroblob(16),"
                                            " NOT EXISTS (SELECT 1 FROM records WHERE id = ?1)");
    buf_reset(&sql);
    ledger_row_insert(&sql, "INSERT OR REPLACE INTO records", "");
    is_good = is_good && prepare(k, &k->put, buf_ptr(&sql));
    buf_clear(&sql);
    return is_good;
}

static bool check_all(struct checker *k)
{
    return run(k, "PRAGMA trusted_schema = OFF; PRAGMA temp_store = FILE") &&
           ledger_schema_is_known(k->db, k->path, k->why) && run(k, k->how->is_repair ? "BEGIN IMMEDIATE" : "BEGIN") &&
           make_tables(k) && ledger_days_read(&k->days, k->db, LEDGER_DAYS_ALL, k->why) && prepare_rows(k) &&
           check_entries(k) && check_tables(k) && check_alerts(k) && check_sums(k) && check_charges(k) &&
           run(k, "COMMIT");
}

static bool open_and_check(struct checker *k)
{
    int flags = k->how->is_repair ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    if (sqlite3_open_v2(k->path, &k->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) return fail(k);
    sqlite3_busy_timeout(k->db, LEDGER_BUSY_MS);
    ledger_reader_init(&k->reader);
    json_init(&k->tape);
    arena_init(&k->arena);
    ledger_rollup_init(&k->sums);
    ledger_charges_init(&k->charges);
    bool is_good = check_all(k);
    sqlite3_finalize(k->told);
    sqlite3_finalize(k->get);
    sqlite3_finalize(k->put);
    sqlite3_finalize(k->intents.get);
    sqlite3_finalize(k->intents.put);
    sqlite3_finalize(k->changes.get);
    sqlite3_finalize(k->changes.put);
    ledger_rollup_clear(&k->sums);
    ledger_charges_clear(&k->charges);
    ledger_reader_clear(&k->reader);
    json_clear(&k->tape);
    arena_clear(&k->arena);
    ledger_days_clear(&k->days);
    return is_good;
}

bool ledger_check(const struct ledger_check *how, struct ledger_checked *found, struct fault *why)
{
    struct checker k = {.how = how, .found = found, .why = why};
    int lock = how->is_repair ? ledger_lock(how->data_dir, why) : -1;
    if (how->is_repair && lock < 0) return false;
    k.path = ledger_file_path(how->data_dir);
    *found = (struct ledger_checked){0};
    bool is_good = open_and_check(&k);
    sqlite3_close(k.db);
    mem_free(k.path);
    if (lock >= 0) close(lock);
    return is_good;
}
