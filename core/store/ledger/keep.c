#include "store/ledger/keep.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "store/ledger/charges.h"
#include "store/ledger/ledger_inner.h"

#define FORGET_PAUSE_US (3600u * 1000000ull)
#define PAUSE_US 1000000u /* between two looks for what is too old, when there was nothing */

/* ---- Statements. */

static const char *const sqls[LEDGER_STATEMENTS] = {
    /* The next anchor alone: one behind it that was signed while the clock stood wrong must not take along what is
     * younger. */
    [FIND_CUT] = "SELECT first, (SELECT seq FROM (SELECT seq, time_us FROM anchors WHERE seq > first ORDER BY seq"
                 " LIMIT 1) WHERE time_us < ?1 AND (?2 = 0 OR seq <= ?2)) FROM (SELECT min(seq) AS first FROM chain)",
    [FIND_ENTRIES] = "SELECT c.seq, kind, body, day FROM chain c LEFT JOIN records r ON r.seq = c.seq"
                     " WHERE c.seq >= ? AND c.seq < ?",
    /* What the chain goes on from: an anchor behind it says that it is right. */
    [KEEP_PLACE] = "INSERT OR REPLACE INTO meta SELECT 'cut.seq', seq FROM chain WHERE seq = ? - 1 AND seq < ?"
                   " UNION ALL SELECT 'cut.hash', hash FROM chain WHERE seq = ?1 - 1",
    [CUT_INTENT] = "DELETE FROM intents WHERE id = ? AND seq = ?",
    [CUT_TEXTS] = "DELETE FROM texts WHERE id IN (SELECT id FROM records WHERE seq >= ? AND seq < ?)",
    [CUT_RECORDS] = "DELETE FROM records WHERE seq >= ? AND seq < ?",
    [CUT_ANCHORS] = "DELETE FROM anchors WHERE seq >= ? AND seq < ?",
    [CUT_CHAIN] = "DELETE FROM chain WHERE seq >= ? AND seq < ?",
    [WIPE_TEXTS] = "DELETE FROM texts WHERE (id, part) IN"
                   " (SELECT id, part FROM texts WHERE time_us < ? ORDER BY time_us LIMIT ?)",
    [COUNT_PAGES] = "PRAGMA page_count",
    [COUNT_SPARE] = "PRAGMA freelist_count",
    [NEWEST_TIME] = "SELECT coalesce(max(time_us), 0) FROM records",
};

/* Once: the pieces are short. */
static bool prepare(struct ledger *l, enum ledger_statement which, sqlite3_stmt **q, struct fault *why)
{
    if (!l->statements[which] && !ledger_prepare(l, &l->statements[which], sqls[which], why)) return false;
    *q = l->statements[which];
    return true;
}

static bool run(struct ledger *l, sqlite3_stmt *q, struct fault *why)
{
    bool is_good = sqlite3_step(q) == SQLITE_DONE || ledger_fail(l, why);
    sqlite3_reset(q);
    return is_good;
}

static bool run_two(struct ledger *l, enum ledger_statement which, sqlite3_int64 a, sqlite3_int64 b, struct fault *why)
{
    sqlite3_stmt *q;
    if (!prepare(l, which, &q, why)) return false;
    sqlite3_bind_int64(q, 1, a);
    sqlite3_bind_int64(q, 2, b);
    return run(l, q, why);
}

static bool read_number(struct ledger *l, enum ledger_statement which, sqlite3_int64 *value, struct fault *why)
{
    sqlite3_stmt *q;
    if (!prepare(l, which, &q, why)) return false;
    bool is_good = sqlite3_step(q) == SQLITE_ROW || ledger_fail(l, why);
    if (is_good) *value = sqlite3_column_int64(q, 0);
    sqlite3_reset(q);
    return is_good;
}

/* ---- The write-ahead log. */

static bool drain_log(struct ledger *l, struct fault *why)
{
    if (l->log_pages < l->log_done + LIMIT_LEDGER_LOG_PAGES) return true;
    return ledger_checkpoint(l, l->must_cut_log ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, why);
}

/* When nothing more is to come into it. */
static bool cut_log(struct ledger *l, bool is_idle, struct fault *why)
{
    bool must_cut = l->must_cut_log || (is_idle && l->log_pages);
    return !must_cut || ledger_checkpoint(l, SQLITE_CHECKPOINT_TRUNCATE, why);
}

/* ---- Entries. */

struct cut {
    sqlite3_int64 low, end; /* entries from low on, before end */
    sqlite3_int64 anchor;   /* … which is that of an anchor, or on the way to one */
};

/* The first entries up to the next anchor, if that is old enough: all of them; none: low == end. */
static bool find_cut(struct ledger *l, const struct ledger_upkeep *how, struct cut *cut, struct fault *why)
{
    sqlite3_stmt *q;
    *cut = (struct cut){0, 0, 0};
    if (!how->retain_us || how->now_us <= how->retain_us) return true;
    if (!prepare(l, FIND_CUT, &q, why)) return false;
    sqlite3_bind_int64(q, 1, (sqlite3_int64)(how->now_us - how->retain_us));
    sqlite3_bind_int64(q, 2, (sqlite3_int64)how->keep_from);
    bool is_good = sqlite3_step(q) == SQLITE_ROW || ledger_fail(l, why);
    if (is_good && sqlite3_column_type(q, 1) != SQLITE_NULL) {
        *cut = (struct cut){sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1), sqlite3_column_int64(q, 1)};
    }
    sqlite3_reset(q);
    return is_good;
}

static bool forget_intent(struct ledger *l, sqlite3_int64 seq, struct slice body, struct fault *why)
{
    uint8_t id[LEDGER_ID_BYTES];
    sqlite3_stmt *q;
    ledger_record_id(&l->reader, id, CHAIN_INTENT, body, NULL);
    if (!prepare(l, CUT_INTENT, &q, why)) return false;
    sqlite3_bind_blob(q, 1, id, sizeof id, SQLITE_STATIC);
    sqlite3_bind_int64(q, 2, seq);
    return run(l, q, why);
}

/* What goes is summed once more, apart: all sums stay those of the chain and of what was cut off it. */
static bool sum_entry(struct ledger *l, sqlite3_stmt *q, struct fault *why)
{
    enum chain_kind kind = (enum chain_kind)sqlite3_column_int(q, 1);
    struct slice body = {sqlite3_column_blob(q, 2), (size_t)sqlite3_column_bytes(q, 2)};
    if (kind == CHAIN_INTENT) return forget_intent(l, sqlite3_column_int64(q, 0), body, why);
    if (kind != CHAIN_EXCHANGE && kind != CHAIN_IMPORT) return true;
    ledger_record_read(&l->reader, &l->record, kind, body, NULL);
    l->record.day = sqlite3_column_int64(q, 3);
    ledger_rollup_add(&l->cut_sums, &l->record);
    return ledger_charges_add(&l->cut_charges, &l->record) || ledger_fail(l, why);
}

static bool sum_entries(struct ledger *l, const struct cut *cut, struct fault *why)
{
    sqlite3_stmt *q;
    int rc;
    if (!prepare(l, FIND_ENTRIES, &q, why)) return false;
    sqlite3_bind_int64(q, 1, cut->low);
    sqlite3_bind_int64(q, 2, cut->end);
    bool is_good = true;
    while (is_good && (rc = sqlite3_step(q)) != SQLITE_DONE)
        is_good = rc == SQLITE_ROW ? sum_entry(l, q, why) : ledger_fail(l, why);
    sqlite3_reset(q);
    return is_good;
}

static bool keep_sums(struct ledger *l, const struct cut *cut, struct fault *why)
{
    bool is_good =
        (ledger_charges_before(l->db, &l->cut_charges.after_s) || ledger_fail(l, why)) && sum_entries(l, cut, why) &&
        ((ledger_rollup_write(&l->cut_sums) && ledger_charges_write(&l->cut_charges)) || ledger_fail(l, why));
    if (!is_good) ledger_rollup_reset(&l->cut_sums);
    ledger_charges_reset(&l->cut_charges);
    return is_good;
}

/* Freed pages and places are overwritten; for texts alone, because it costs a write of each page. */
static bool wipe_texts(struct ledger *l, enum ledger_statement which, sqlite3_int64 a, sqlite3_int64 b,
                       struct fault *why)
{
    bool is_good = ledger_run(l, "PRAGMA secure_delete = ON", why) && run_two(l, which, a, b, why);
    if (is_good && sqlite3_changes(l->db)) l->must_cut_log = true;
    sqlite3_exec(l->db, "PRAGMA secure_delete = OFF", NULL, NULL, NULL);
    return is_good;
}

static bool delete_entries(struct ledger *l, const struct cut *cut, struct fault *why)
{
    return run_two(l, KEEP_PLACE, cut->end, cut->end, why) && keep_sums(l, cut, why) &&
           wipe_texts(l, CUT_TEXTS, cut->low, cut->end, why) && run_two(l, CUT_RECORDS, cut->low, cut->end, why) &&
           run_two(l, CUT_ANCHORS, cut->low, cut->end, why) && run_two(l, CUT_CHAIN, cut->low, cut->end, why);
}

/* The chain says itself that its beginning goes, so that nobody else can take it away unseen. */
static bool announce(struct ledger *l, const struct ledger_upkeep *how, const struct cut *cut, struct fault *why)
{
    char time[CLOCK_TEXT_BYTES], body[192];
    if (l->announced == cut->anchor) return true;
    clock_format(how->now_us * 1000, time);
    int len = snprintf(body, sizeof body,
                       "{\"time\":\"%s\",\"actor\":\"moongate\",\"action\":\"" LEDGER_CUT_ACTION
                       "\",\"target\":\"chain\",\"before\":%lld,\"reason\":\"ledger.retain\"}",
                       time, (long long)cut->anchor);
    struct ledger_entry entry = {.kind = CHAIN_CHANGE, .body = slice_of(body, (size_t)len)};
    if (!ledger_begin(l, why) || ledger_put(l, &entry, why) == LEDGER_FAILED || !ledger_commit(l, why)) return false;
    l->announced = cut->anchor;
    return true;
}

static bool cut_some(struct ledger *l, struct cut *cut, struct fault *why)
{
    uint64_t began_ns = clock_mono_ns();
    uint32_t count = ledger_pace_count(&l->cutting, LIMIT_LEDGER_CUT);
    if (cut->end - cut->low > count) cut->end = cut->low + count;
    if (!ledger_relax(l, true, why) || !ledger_run(l, "BEGIN IMMEDIATE", why)) return false;
    bool is_good = delete_entries(l, cut, why) && ledger_run(l, "COMMIT", why);
    if (!is_good && !sqlite3_get_autocommit(l->db)) sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
    if (is_good) ledger_pace_took(&l->cutting, clock_mono_ns() - began_ns);
    return is_good;
}

static enum ledger_tended cut_entries(struct ledger *l, const struct ledger_upkeep *how, struct fault *why)
{
    struct cut cut;
    if (!find_cut(l, how, &cut, why)) return LEDGER_TEND_FAILED;
    if (cut.low == cut.end) return LEDGER_TENDED;
    return announce(l, how, &cut, why) && cut_some(l, &cut, why) ? LEDGER_MORE : LEDGER_TEND_FAILED;
}

/* ---- Texts, and free pages. */

static enum ledger_tended cut_texts(struct ledger *l, const struct ledger_upkeep *how, struct fault *why)
{
    if (!how->retain_texts_us || how->now_us <= how->retain_texts_us) return LEDGER_TENDED;
    sqlite3_int64 before = (sqlite3_int64)(how->now_us - how->retain_texts_us);
    uint64_t began_ns = clock_mono_ns();
    uint32_t count = ledger_pace_count(&l->wiping, LIMIT_LEDGER_CUT);
    if (!ledger_relax(l, true, why) || !wipe_texts(l, WIPE_TEXTS, before, count, why)) return LEDGER_TEND_FAILED;
    if (!sqlite3_changes(l->db)) return LEDGER_TENDED;
    ledger_pace_took(&l->wiping, clock_mono_ns() - began_ns);
    return LEDGER_MORE;
}

/* SQLite looks for each page in the list of the free ones: the longer that is, the fewer are done at a time. */
static bool give_some(struct ledger *l, struct fault *why)
{
    char sql[64];
    uint64_t began_ns = clock_mono_ns();
    uint32_t pages = ledger_pace_count(&l->giving, LIMIT_LEDGER_GIVE_PAGES);
    snprintf(sql, sizeof sql, "PRAGMA incremental_vacuum(%u)", pages);
    if (!ledger_relax(l, true, why) || !ledger_run(l, sql, why)) return false;
    ledger_pace_took(&l->giving, clock_mono_ns() - began_ns);
    return true;
}

/* What is deleted makes room for what comes: only what stays free, a share of the whole, is given back. */
static enum ledger_tended give_back(struct ledger *l, struct fault *why)
{
    sqlite3_int64 all, spare;
    if (!read_number(l, COUNT_PAGES, &all, why) || !read_number(l, COUNT_SPARE, &spare, why)) {
        return LEDGER_TEND_FAILED;
    }
    if (spare < LIMIT_LEDGER_SPARE_PAGES || spare < all / LIMIT_LEDGER_SPARE_PART) return LEDGER_TENDED;
    return give_some(l, why) ? LEDGER_MORE : LEDGER_TEND_FAILED;
}

/* ---- Charges. */

/* A clock that stands far ahead must not forget what budgets are spent: no later than the newest request says. */
static bool forget_time(struct ledger *l, const struct ledger_upkeep *how, int64_t *before_s, struct fault *why)
{
    sqlite3_int64 newest_us = 0;
    if (!read_number(l, NEWEST_TIME, &newest_us, why)) return false;
    int64_t now_us = newest_us < (sqlite3_int64)how->now_us ? newest_us : (int64_t)how->now_us;
    *before_s = now_us / 1000000 - LIMIT_LEDGER_CHARGES_S;
    return true;
}

static bool forget_some(struct ledger *l, int64_t before_s, uint32_t *count, struct fault *why)
{
    if (!ledger_relax(l, true, why) || !ledger_run(l, "BEGIN IMMEDIATE", why)) return false;
    bool is_good = (ledger_charges_forget(l->db, before_s, LIMIT_LEDGER_CUT, count) || ledger_fail(l, why)) &&
                   ledger_run(l, "COMMIT", why);
    if (!is_good && !sqlite3_get_autocommit(l->db)) sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
    return is_good;
}

static enum ledger_tended forget_charges(struct ledger *l, const struct ledger_upkeep *how, struct fault *why)
{
    int64_t before_s;
    uint32_t count = 0;
    if (how->now_us >= l->forgot_us && how->now_us - l->forgot_us < FORGET_PAUSE_US) return LEDGER_TENDED;
    if (!forget_time(l, how, &before_s, why) || !forget_some(l, before_s, &count, why)) return LEDGER_TEND_FAILED;
    if (count) return LEDGER_MORE;
    l->forgot_us = how->now_us;
    return LEDGER_TENDED;
}

static enum ledger_tended tend_rows(struct ledger *l, const struct ledger_upkeep *how, struct fault *why)
{
    if (how->now_us >= l->looked_us && how->now_us - l->looked_us < PAUSE_US) return LEDGER_TENDED;
    enum ledger_tended done = cut_entries(l, how, why);
    if (done == LEDGER_TENDED) done = cut_texts(l, how, why);
    if (done == LEDGER_TENDED) done = forget_charges(l, how, why);
    if (done == LEDGER_TENDED) done = give_back(l, why);
    if (done == LEDGER_TENDED) l->looked_us = how->now_us;
    return done;
}

enum ledger_tended ledger_tend(struct ledger *l, const struct ledger_upkeep *how, struct fault *why)
{
    struct fault ignored; /* ledger_begin() insists on it */
    check(!l->is_open);
    if (!drain_log(l, why)) return LEDGER_TEND_FAILED;
    enum ledger_tended done = tend_rows(l, how, why);
    ledger_relax(l, false, &ignored);
    if (done == LEDGER_TENDED && !cut_log(l, how->is_idle, why)) return LEDGER_TEND_FAILED;
    return done;
}
