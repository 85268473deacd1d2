#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/change.h"
#include "store/column.h"
#include "store/ledger/ledger_inner.h"
#include "store/ledger/row.h"
#include "store/ledger/schema.h"

/* ---- Statements. */

/* Of a statement that gives no rows. */
static bool step(struct ledger *l, enum ledger_statement which, struct fault *why)
{
    bool is_good = sqlite3_step(l->statements[which]) == SQLITE_DONE || ledger_fail(l, why);
    sqlite3_reset(l->statements[which]);
    return is_good;
}

static bool read_number(struct ledger *l, const char *sql, int64_t *value, struct fault *why)
{
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(l->db, sql, -1, &q, NULL) != SQLITE_OK) return ledger_fail(l, why);
    bool is_good = sqlite3_step(q) == SQLITE_ROW;
    if (is_good) *value = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return is_good || ledger_fail(l, why);
}

/* ---- Opening. */

/* Inside the transaction of make(). */
static bool migrate(struct ledger *l, struct fault *why)
{
    int version;
    if (!ledger_schema_read(l->db, l->path, &version, why)) return false;
    for (; version < LEDGER_SCHEMA_VERSION; version++) {
        char mark[40];
        snprintf(mark, sizeof mark, "PRAGMA user_version = %d", version + 1);
        if (!ledger_run(l, ledger_schemas[version], why) || !ledger_run(l, mark, why)) return false;
    }
    return true;
}

/* What the file has under that name, into `out`; what is not there yet is `value` from now on. */
static bool keep_meta(struct ledger *l, const char *name, struct slice value, struct buf *out, struct fault *why)
{
    sqlite3_stmt *q;
    if (!ledger_prepare(l, &q, "INSERT INTO meta VALUES(?, ?) ON CONFLICT DO UPDATE SET v = v RETURNING v", why)) {
        return false;
    }
    sqlite3_bind_text(q, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_blob(q, 2, value.ptr ? value.ptr : "", (int)value.len, SQLITE_STATIC);
    bool is_good = sqlite3_step(q) == SQLITE_ROW;
    if (is_good) buf_append(out, column_bytes(q, 0));
    is_good = (is_good && sqlite3_step(q) == SQLITE_DONE) || ledger_fail(l, why);
    sqlite3_finalize(q);
    return is_good;
}

static bool set_genesis(struct ledger *l, const struct ledger_options *o, struct fault *why)
{
    struct buf gateway, key;
    buf_init(&gateway);
    buf_init(&key);
    bool is_good = keep_meta(l, "gateway", o->gateway, &gateway, why) &&
                   keep_meta(l, "key", o->key_fingerprint, &key, why);
    if (is_good && !slice_equal(buf_slice(&gateway), o->gateway)) {
        is_good = fault_set(why, FAULT_INTERNAL,
                            "%s: it is the ledger of gateway '%.*s', not of '%.*s': name the gateway so again, or move "
                            "the file away",
                            l->path, SLICE_FMT(buf_slice(&gateway)), SLICE_FMT(o->gateway));
    }
    if (is_good) chain_genesis(l->genesis.hash, buf_slice(&gateway), buf_slice(&key));
    buf_clear(&gateway);
    buf_clear(&key);
    return is_good;
}

/* Days that were summed stay as they were: another zone holds for what comes from now on. */
static bool keep_zone(struct ledger *l, const char *name, struct fault *why)
{
    sqlite3_stmt *q;
    int64_t zones = 0;
    const char *sql = "INSERT INTO meta SELECT printf('zone.%020d', coalesce((SELECT max(seq) FROM chain), 0) + 1), ?1"
                      " WHERE ?1 IS NOT (SELECT v FROM meta WHERE k GLOB 'zone.*' ORDER BY k DESC LIMIT 1)"
                      " ON CONFLICT DO UPDATE SET v = excluded.v";
    if (!ledger_prepare(l, &q, sql, why)) return false;
    sqlite3_bind_text(q, 1, name, -1, SQLITE_STATIC);
    bool is_good = sqlite3_step(q) == SQLITE_DONE || ledger_fail(l, why);
    bool is_new = is_good && sqlite3_changes(l->db) > 0;
    sqlite3_finalize(q);
    is_good = is_good && ledger_days_read(&l->days, l->db, LEDGER_DAYS_LAST, why) &&
              read_number(l, "SELECT count(*) FROM meta WHERE k GLOB 'zone.*'", &zones, why);
    if (is_good && is_new && zones > 1)
        log_event(LOG_WARN, "billing_zone_changed",
                  "days begin in %s for what comes from now on; days before stay as they were summed", name);
    return is_good;
}

/* In one transaction, so that two processes that start together make it once. */
static bool make(struct ledger *l, const struct ledger_options *o, struct fault *why)
{
    if (!ledger_run(l, "BEGIN IMMEDIATE", why)) return false;
    if (migrate(l, why) && set_genesis(l, o, why) && keep_zone(l, o->zone ? o->zone : "UTC", why) &&
        ledger_run(l, "COMMIT", why)) {
        return true;
    }
    sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

/* A row whose id is there already is left out. */
static bool prepare_record(struct ledger *l, struct fault *why)
{
    struct buf sql;
    buf_init(&sql);
    ledger_row_insert(&sql, "INSERT INTO records", " ON CONFLICT(id) DO NOTHING");
    bool is_good = ledger_prepare(l, &l->statements[PUT_RECORD], buf_ptr(&sql), why);
    buf_clear(&sql);
    return is_good;
}

static bool install_charges(struct ledger *l, struct fault *why)
{
    return (ledger_charges_install(&l->charges, l->db, "charges") &&
            ledger_charges_install(&l->cut_charges, l->db, "charges_cut")) ||
           ledger_fail(l, why);
}

static bool prepare_all(struct ledger *l, struct fault *why)
{
    static const char *const sql[LEDGER_STATEMENTS] = {
        [PUT_CHAIN] = "INSERT INTO chain(seq, kind, body, hash) VALUES(?, ?, ?, ?)",
        [PUT_CHANGE] = "INSERT INTO changes VALUES(?, ?) ON CONFLICT DO NOTHING",
        [PUT_INTENT] = "INSERT INTO intents SELECT ?1, ?2, ?3, NOT EXISTS (SELECT 1 FROM records WHERE id = ?1)"
                       " WHERE true ON CONFLICT DO NOTHING",
        [CLOSE_INTENT] = "UPDATE intents SET open = 0 WHERE id = ? AND open = 1",
        [GET_HEAD] = "SELECT seq, hash FROM chain ORDER BY seq DESC LIMIT 1",
        [GET_VERSION] = "PRAGMA data_version",
        [HAS_OPEN] = "SELECT EXISTS (SELECT 1 FROM intents WHERE open = 1)",
        [LEDGER_BEGIN] = "BEGIN IMMEDIATE",
        [LEDGER_COMMIT] = "COMMIT",
    };
    /* First: another function in the connection makes all statements that it has anew. */
    if (!ledger_rollup_install(&l->rollup, l->db, "rollup", "rollup_label") ||
        !ledger_rollup_install(&l->cut_sums, l->db, "rollup_cut", "rollup_label_cut")) {
        return ledger_fail(l, why);
    }
    for (int i = 0; i < LEDGER_STATEMENTS; i++) {
        if (sql[i] && !ledger_prepare(l, &l->statements[i], sql[i], why)) return false;
    }
    return prepare_record(l, why) && install_charges(l, why) &&
           ((ledger_alerts_install(&l->alerts, l->db) && ledger_objects_install(&l->objects, l->db)) ||
            ledger_fail(l, why));
}

static int on_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
    struct ledger *l = arg;
    (void)db;
    (void)name;
    if ((uint32_t)pages < l->log_pages) l->log_done = 0; /* it began anew */
    l->log_pages = (uint32_t)pages;
    return SQLITE_OK;
}

/* Each allocation would be counted under a lock. Of no effect where SQLite is in use already. */
static void count_no_memory(void)
{
    static bool was_asked;
    if (!was_asked) sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    was_asked = true;
}

/* auto_vacuum counts only before the first page is written. Pages are of 4 KiB, SQLite's default: larger ones save a
 * fifteenth of what a record costs in large batches, but a small commit writes nine of them. */
static bool open_db(struct ledger *l, const struct ledger_options *o, struct fault *why)
{
    char pages[64];
    count_no_memory();
    if (!ledger_file_make(l->path, why)) return false;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    if (sqlite3_open_v2(l->path, &l->db, flags, NULL) != SQLITE_OK) return ledger_fail(l, why);
    sqlite3_busy_timeout(l->db, LEDGER_BUSY_MS);
    snprintf(pages, sizeof pages, "PRAGMA max_page_count = %u", o->pages_max ? o->pages_max : UINT32_MAX - 1);
    const char *pragmas = "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                          "PRAGMA trusted_schema = OFF; PRAGMA cache_size = -32768";
    sqlite3_wal_hook(l->db, on_commit, l); /* in the place of wal_autocheckpoint: ledger_tend() does it */
    return ledger_run(l, pragmas, why) && ledger_run(l, pages, why) && make(l, o, why) && prepare_all(l, why);
}

/* ---- The head of the chain. */

static bool read_head(struct ledger *l, struct fault *why)
{
    sqlite3_stmt *q = l->statements[GET_HEAD];
    int rc = sqlite3_step(q);
    bool is_good = rc == SQLITE_DONE;
    if (is_good) l->head = l->genesis;
    struct slice hash = rc == SQLITE_ROW ? column_bytes(q, 1) : SLICE("");
    sqlite3_int64 seq = rc == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
    if (hash.len == CHAIN_HASH_BYTES && seq > 0 && seq < INT64_MAX) { /* what comes has a number too */
        l->head.seq = (uint64_t)seq;
        memcpy(l->head.hash, hash.ptr, CHAIN_HASH_BYTES);
        is_good = true;
    }
    if (!is_good && rc == SQLITE_ROW) {
        fault_set(why, FAULT_INTERNAL,
                  "%s: the last entry of the chain is damaged (number %lld): put a backup back: `moongate ledger "
                  "restore`",
                  l->path, (long long)seq);
    } else if (!is_good) {
        ledger_fail(l, why);
    }
    sqlite3_reset(q);
    return is_good;
}

/* Entries that were taken from the chain's end left their rows: what came next would have their numbers. */
static bool is_whole(struct ledger *l, struct fault *why)
{
    int64_t last = 0;
    if (!read_number(l, "SELECT coalesce(max(seq), 0) FROM records", &last, why)) return false;
    if ((uint64_t)last <= l->head.seq) return true;
    return fault_set(why, FAULT_INTERNAL,
                     "%s: its chain ends with entry %llu, its tables with %lld: put a backup back (`moongate ledger "
                     "restore`), or have `moongate ledger check --repair` make the tables anew",
                     l->path, (unsigned long long)l->head.seq, (long long)last);
}

/* Where no request was announced none has to be looked for. */
static bool read_open(struct ledger *l, struct fault *why)
{
    sqlite3_stmt *q = l->statements[HAS_OPEN];
    bool is_good = sqlite3_step(q) == SQLITE_ROW || ledger_fail(l, why);
    l->has_open = !is_good || sqlite3_column_int(q, 0);
    sqlite3_reset(q);
    return is_good;
}

/* With the write lock held, so that nobody commits behind it. The version moves with others' commits alone. */
static bool see_others(struct ledger *l, struct fault *why)
{
    sqlite3_stmt *q = l->statements[GET_VERSION];
    bool is_good = sqlite3_step(q) == SQLITE_ROW || ledger_fail(l, why);
    int64_t version = is_good ? sqlite3_column_int64(q, 0) : 0;
    sqlite3_reset(q);
    if (is_good && (!l->is_head_known || version != l->version)) is_good = read_head(l, why) && read_open(l, why);
    if (is_good) l->version = version;
    l->is_head_known = is_good;
    return is_good;
}

uint64_t ledger_head(const struct ledger *l, uint8_t hash[CHAIN_HASH_BYTES])
{
    memcpy(hash, l->head.hash, CHAIN_HASH_BYTES);
    return l->head.seq;
}

struct ledger *ledger_open(const struct ledger_options *options, struct fault *why)
{
    struct ledger *l = mem_zalloc(1, sizeof *l);
    l->path = ledger_file_path(options->data_dir);
    ledger_reader_init(&l->reader);
    ledger_rollup_init(&l->rollup);
    ledger_charges_init(&l->charges);
    ledger_alerts_init(&l->alerts);
    ledger_charges_init(&l->cut_charges);
    ledger_rollup_init(&l->cut_sums);
    if (open_db(l, options, why) && read_head(l, why) && is_whole(l, why)) {
        ledger_file_note(&l->files, l->path);
        return l;
    }
    ledger_close(l);
    return NULL;
}

void ledger_close(struct ledger *l)
{
    if (!l) return;
    for (int i = 0; i < LEDGER_STATEMENTS; i++)
        sqlite3_finalize(l->statements[i]);
    ledger_rollup_clear(&l->rollup);
    ledger_charges_clear(&l->charges);
    ledger_alerts_clear(&l->alerts);
    ledger_objects_clear(&l->objects);
    ledger_charges_clear(&l->cut_charges);
    ledger_rollup_clear(&l->cut_sums);
    ledger_reader_clear(&l->reader);
    ledger_days_clear(&l->days);
    sqlite3_close(l->db);
    mem_free(l->path);
    mem_free(l);
}

struct sqlite3 *ledger_connection(struct ledger *l)
{
    return l->db;
}

struct ledger_charges *ledger_last_charges(struct ledger *l)
{
    check(!l->is_open);
    return &l->charges;
}

bool ledger_has_posted(const struct ledger *l)
{
    return l->alerts.has_posted;
}

/* ---- A batch. */

bool ledger_checkpoint(struct ledger *l, int mode, struct fault *why)
{
    int pages = 0, done = 0;
    sqlite3_busy_timeout(l->db, 0);
    int rc = sqlite3_wal_checkpoint_v2(l->db, NULL, mode, &pages, &done);
    sqlite3_busy_timeout(l->db, LEDGER_BUSY_MS);
    if (rc != SQLITE_OK && rc != SQLITE_BUSY && rc != SQLITE_LOCKED) return ledger_fail(l, why);
    if (rc == SQLITE_OK && mode == SQLITE_CHECKPOINT_TRUNCATE) {
        l->log_pages = 0;
        l->must_cut_log = false;
    }
    l->log_done = done > 0 ? (uint32_t)done : 0;
    return true;
}

/* A failure leaves what was: ledger_begin() asks again. */
bool ledger_relax(struct ledger *l, bool is_relaxed, struct fault *why)
{
    if (l->is_relaxed == is_relaxed) return true;
    if (!ledger_run(l, is_relaxed ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL", why)) return false;
    l->is_relaxed = is_relaxed;
    return true;
}

/* Whoever tends it too seldom for what comes: the log is not to grow with it. */
static void bound_log(struct ledger *l)
{
    struct fault ignored; /* what fails here fails in ledger_tend(), which says so */
    if (l->log_pages >= l->log_done + LIMIT_LEDGER_LOG_PAGES_MAX) {
        ledger_checkpoint(l, SQLITE_CHECKPOINT_PASSIVE, &ignored);
    }
}

/* Always false. SQLite may have rolled back by itself. */
static bool give_up(struct ledger *l)
{
    if (!sqlite3_get_autocommit(l->db)) sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
    ledger_rollup_reset(&l->rollup);
    ledger_charges_reset(&l->charges);
    l->is_open = false;
    return false;
}

void ledger_rollback(struct ledger *l)
{
    if (l->is_open) give_up(l);
}

bool ledger_is_in_place(const struct ledger *l, struct fault *why)
{
    return ledger_file_is_same(&l->files, l->path, why);
}

bool ledger_begin(struct ledger *l, struct fault *why)
{
    check(!l->is_open);
    if (!ledger_is_in_place(l, why) || !ledger_relax(l, false, why)) return false;
    bound_log(l);
    if (!step(l, LEDGER_BEGIN, why)) return false;
    l->is_open = true;
    ledger_charges_reset(&l->charges);
    l->alerts.has_posted = false;
    if (!see_others(l, why)) return give_up(l);
    l->next = l->head;
    return true;
}

bool ledger_commit(struct ledger *l, struct fault *why)
{
    check(l->is_open);
    if (!ledger_rollup_write(&l->rollup) || !ledger_charges_write(&l->charges)) {
        ledger_fail(l, why);
        return give_up(l);
    }
    if (!step(l, LEDGER_COMMIT, why)) return give_up(l);
    l->is_open = false;
    l->head = l->next;
    return true;
}

static bool put_chain(struct ledger *l, const struct ledger_entry *e, struct fault *why)
{
    sqlite3_stmt *q = l->statements[PUT_CHAIN];
    l->next.seq++;
    chain_hash(l->next.hash, l->next.hash, l->next.seq, e->kind, e->body);
    sqlite3_bind_int64(q, 1, (sqlite3_int64)l->next.seq);
    sqlite3_bind_int(q, 2, e->kind);
    sqlite3_bind_blob64(q, 3, e->body.ptr ? e->body.ptr : "", e->body.len, SQLITE_STATIC);
    sqlite3_bind_blob(q, 4, l->next.hash, CHAIN_HASH_BYTES, SQLITE_STATIC);
    return step(l, PUT_CHAIN, why);
}

static bool close_intent(struct ledger *l, const uint8_t *id, struct fault *why)
{
    if (!l->has_open) return true;
    sqlite3_bind_blob(l->statements[CLOSE_INTENT], 1, id, LEDGER_ID_BYTES, SQLITE_STATIC);
    return step(l, CLOSE_INTENT, why);
}

static enum ledger_put put_exchange(struct ledger *l, const struct ledger_entry *e, struct fault *why)
{
    struct ledger_record *r = &l->record;
    ledger_record_read(&l->reader, r, e->kind, e->body, e->id);
    r->day = ledger_days_of(&l->days, l->next.seq + 1, r->time_us);
    ledger_row_bind(l->statements[PUT_RECORD], l->next.seq + 1, r);
    if (!step(l, PUT_RECORD, why)) return LEDGER_FAILED;
    if (sqlite3_changes(l->db) == 0) return LEDGER_KNOWN;
    if (!put_chain(l, e, why) || !close_intent(l, r->id, why)) return LEDGER_FAILED;
    ledger_rollup_add(&l->rollup, r);
    bool is_good = ledger_objects_note(&l->objects, &l->reader, r->objects_node, l->next.seq, r->time_us) &&
                   ledger_charges_add(&l->charges, r) &&
                   (!ledger_rollup_is_full(&l->rollup) || ledger_rollup_write(&l->rollup));
    if (is_good) return LEDGER_STORED;
    ledger_fail(l, why);
    return LEDGER_FAILED;
}

static enum ledger_put put_intent(struct ledger *l, const struct ledger_entry *e, struct fault *why)
{
    static const uint8_t nobody[LEDGER_ID_BYTES];
    sqlite3_stmt *q = l->statements[PUT_INTENT];
    uint8_t id[LEDGER_ID_BYTES];
    ledger_record_id(&l->reader, id, e->kind, e->body, e->id);
    sqlite3_bind_blob(q, 1, id, sizeof id, SQLITE_STATIC);
    sqlite3_bind_int64(q, 2, (sqlite3_int64)l->next.seq + 1);
    sqlite3_bind_blob(q, 3, e->instance ? e->instance : nobody, LEDGER_ID_BYTES, SQLITE_STATIC);
    l->has_open = true;
    if (!step(l, PUT_INTENT, why)) return LEDGER_FAILED;
    if (sqlite3_changes(l->db) == 0) return LEDGER_KNOWN;
    return put_chain(l, e, why) ? LEDGER_STORED : LEDGER_FAILED;
}

/* Known by the id in its body. */
static enum ledger_put put_change(struct ledger *l, const struct ledger_entry *e, struct fault *why)
{
    sqlite3_stmt *q = l->statements[PUT_CHANGE];
    uint8_t id[UUID_BYTES];
    if (change_read_id(e->body, id)) {
        sqlite3_bind_blob(q, 1, id, sizeof id, SQLITE_STATIC);
        sqlite3_bind_int64(q, 2, (sqlite3_int64)l->next.seq + 1);
        if (!step(l, PUT_CHANGE, why)) return LEDGER_FAILED;
        if (sqlite3_changes(l->db) == 0) return LEDGER_KNOWN;
    }
    return put_chain(l, e, why) ? LEDGER_STORED : LEDGER_FAILED;
}

static enum ledger_put put_alert(struct ledger *l, const struct ledger_entry *e, struct fault *why)
{
    switch (ledger_alerts_note(&l->alerts, e->body, l->next.seq + 1)) {
    case ALERT_NEW: return put_chain(l, e, why) ? LEDGER_STORED : LEDGER_FAILED;
    case ALERT_KNOWN: return LEDGER_KNOWN;
    case ALERT_FAILED: break;
    }
    ledger_fail(l, why);
    return LEDGER_FAILED;
}

static enum ledger_put put(struct ledger *l, const struct ledger_entry *e, struct fault *why)
{
    if (e->kind == CHAIN_EXCHANGE || e->kind == CHAIN_IMPORT) return put_exchange(l, e, why);
    if (e->kind == CHAIN_INTENT) return put_intent(l, e, why);
    if (e->kind == CHAIN_CHANGE) return put_change(l, e, why);
    if (e->kind == CHAIN_ALERT) return put_alert(l, e, why);
    return put_chain(l, e, why) ? LEDGER_STORED : LEDGER_FAILED;
}

enum ledger_put ledger_put(struct ledger *l, const struct ledger_entry *entry, struct fault *why)
{
    check(l->is_open);
    enum ledger_put result = put(l, entry, why);
    if (result == LEDGER_FAILED) give_up(l);
    return result;
}
