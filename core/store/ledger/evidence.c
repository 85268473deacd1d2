#include "store/ledger/evidence.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "base/clock.h"
#include "store/ledger/days.h"
#include "store/ledger/read_inner.h"

#define US_PER_S 1000000ll
#define DELIVERED "delivered." /* and the sink's name: keys of the table meta */

/* ---- Who was served: sums of days, of which those of the zone's are meant. */

static void add_spender(void *arg, struct slice name, const struct ledger_total *sums)
{
    json_t *list = arg;
    if (json_array_size(list) >= LEDGER_EVIDENCE_LISTED) return;
    json_array_append_new(list, json_pack("{s:s%, s:I, s:I}", "name", name.ptr ? name.ptr : "", name.len, "requests",
                                          (json_int_t)sums->requests, "denied", (json_int_t)sums->denied));
}

static void add_totals(void *arg, struct slice name, const struct ledger_total *sums)
{
    json_t *facts = arg;
    (void)name;
    json_object_set_new(facts, "requests", json_integer((json_int_t)sums->requests));
    json_object_set_new(facts, "unpriced", json_integer((json_int_t)sums->unpriced));
}

/* yyyymmdd of UTC; the zone's own day may be another by one, which only widens what is looked at. */
static int64_t day_of(int64_t at_s)
{
    char text[CLOCK_TEXT_BYTES];
    int year = 0, month = 0, day = 0;
    clock_format((uint64_t)at_s * NS_PER_S, text);
    return sscanf(text, "%d-%d-%d", &year, &month, &day) == 3 ? year * 10000ll + month * 100 + day : 0;
}

static bool add_served(struct ledger_read *l, json_t *facts, const struct ledger_evidence_ask *ask, struct fault *why)
{
    static const char *const names[][2] = {{"model", "models"}, {"department", "departments"}};
    struct ledger_spending what = {.from_day = day_of(ask->since_s), .to_day = day_of(ask->now_s + 86400)};
    struct ledger_filter *filter = ledger_filter_new();
    json_object_set_new(facts, "requests", json_integer(0));
    json_object_set_new(facts, "unpriced", json_integer(0));
    bool is_good = ledger_read_spending(l, &what, filter, add_totals, facts, why);
    for (size_t i = 0; i < 2 && is_good; i++) {
        json_t *list = json_array();
        what.by = names[i][0];
        json_object_set_new(facts, names[i][1], list);
        is_good = ledger_read_spending(l, &what, filter, add_spender, list, why);
    }
    ledger_filter_free(filter);
    return is_good;
}

/* ---- The chain, its anchors and who has seen them. */

/* One number, or 0; the statement's ?1 is `value`. */
static bool add_number(struct ledger_read *l, json_t *facts, const char *name, struct slice sql, int64_t value,
                       struct fault *why)
{
    sqlite3_stmt *q = ledger_read_prepare(l, sql, NULL, why);
    if (!q) return false;
    sqlite3_bind_int64(q, 1, value);
    int rc = sqlite3_step(q);
    json_object_set_new(facts, name, json_integer(rc == SQLITE_ROW ? (json_int_t)sqlite3_column_int64(q, 0) : 0));
    return ledger_read_end(l, q, rc, why);
}

static bool add_chain(struct ledger_read *l, json_t *facts, int64_t since_s, struct fault *why)
{
    char since[CLOCK_TEXT_BYTES];
    clock_format((uint64_t)since_s * NS_PER_S, since);
    char sql[256];
    snprintf(sql, sizeof sql,
             "SELECT coalesce(sum(json_extract(CAST(body AS TEXT), '$.count')), 0) FROM chain WHERE kind = ?1"
             " AND json_extract(CAST(body AS TEXT), '$.time') >= '%s'", since);
    return add_number(l, facts, "losses", slice_str(sql), CHAIN_LOSS, why) &&
           add_number(l, facts, "newest", SLICE("SELECT max(seq) FROM chain WHERE seq > ?1"), 0, why) &&
           add_number(l, facts, "anchor_seq", SLICE("SELECT max(seq) FROM anchors WHERE seq > ?1"), 0, why) &&
           add_number(l, facts, "anchor_at", SLICE("SELECT max(time_us) / 1000000 FROM anchors WHERE seq > ?1"), 0,
                      why);
}

/* Rows of a name and a number: `add` puts them where they belong. */
static bool each_named(struct ledger_read *l, struct slice sql, json_t *to,
                       void (*add)(json_t *to, struct slice name, int64_t number), struct fault *why)
{
    int rc;
    sqlite3_stmt *q = ledger_read_prepare(l, sql, NULL, why);
    if (!q) return false;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW)
        add(to, column_bytes(q, 0), sqlite3_column_int64(q, 1));
    return ledger_read_end(l, q, rc, why);
}

static void add_witness(json_t *to, struct slice name, int64_t seq)
{
    json_array_append_new(to, json_pack("{s:s%, s:I}", "name", name.ptr, name.len, "seq", (json_int_t)seq));
}

static void add_sink(json_t *to, struct slice name, int64_t at_s)
{
    json_object_setn_new(to, name.ptr, name.len, json_integer((json_int_t)at_s));
}

static bool add_told(struct ledger_read *l, json_t *facts, struct fault *why)
{
    json_t *witnesses = json_array(), *delivered = json_object();
    json_object_set_new(facts, "witnesses", witnesses);
    json_object_set_new(facts, "delivered", delivered);
    return each_named(l, SLICE("SELECT name, seq FROM witnesses ORDER BY name"), witnesses, add_witness, why) &&
           each_named(l, SLICE("SELECT substr(k, 11), v FROM meta WHERE k GLOB '" DELIVERED "*' ORDER BY k"), delivered,
                      add_sink, why);
}

/* ---- Did a switch take? */

static bool add_after_switch(struct ledger_read *l, json_t *facts, const struct ledger_evidence_ask *ask,
                             struct fault *why)
{
    struct slice sql = SLICE("SELECT count(*) FROM records WHERE provider = ?1 AND outcome <> 'denied' AND attempts > 0"
                             " AND time_us > ?2 AND time_us < ?3");
    json_object_set_new(facts, "after_switch", json_integer(0));
    if (!ask->switched.len) return true;
    sqlite3_stmt *q = ledger_read_prepare(l, sql, NULL, why);
    if (!q) return false;
    sqlite3_bind_text(q, 1, ask->switched.ptr, (int)ask->switched.len, SQLITE_STATIC);
    sqlite3_bind_int64(q, 2, (ask->switched_s + 2) * US_PER_S); /* it was noted within that second, and has one more */
    sqlite3_bind_int64(q, 3, ask->switched_until_s * US_PER_S);
    int rc = sqlite3_step(q);
    if (rc == SQLITE_ROW) json_object_set_new(facts, "after_switch", json_integer(sqlite3_column_int64(q, 0)));
    return ledger_read_end(l, q, rc, why);
}

json_t *ledger_evidence(struct ledger_read *l, const struct ledger_evidence_ask *ask, struct fault *why)
{
    json_t *facts = json_object();
    if (add_served(l, facts, ask, why) && add_chain(l, facts, ask->since_s, why) && add_told(l, facts, why) &&
        add_after_switch(l, facts, ask, why))
        return facts;
    json_decref(facts);
    return NULL;
}

bool ledger_note_delivered(sqlite3 *db, struct slice sink, int64_t at_s, struct fault *why)
{
    sqlite3_stmt *q = NULL;
    bool is_good = sqlite3_prepare_v2(db, "INSERT INTO meta(k, v) VALUES('" DELIVERED "' || ?1, ?2)"
                                      " ON CONFLICT(k) DO UPDATE SET v = excluded.v", -1, &q, NULL) == SQLITE_OK;
    if (is_good) {
        sqlite3_bind_text(q, 1, sink.ptr, (int)sink.len, SQLITE_STATIC);
        sqlite3_bind_int64(q, 2, at_s);
        is_good = sqlite3_step(q) == SQLITE_DONE;
    }
    if (!is_good) fault_set(why, FAULT_INTERNAL, "%s", sqlite3_errmsg(db));
    sqlite3_finalize(q);
    return is_good;
}
