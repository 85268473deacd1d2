#include "store/ledger/alerts.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"

#define FORGOTTEN_MAX 64 /* rows at a time */
#define US_PER_S 1000000

void ledger_alerts_init(struct ledger_alerts *a)
{
    *a = (struct ledger_alerts){0};
    json_init(&a->tape);
    arena_init(&a->arena);
}

void ledger_alerts_clear(struct ledger_alerts *a)
{
    sqlite3_finalize(a->set);
    sqlite3_finalize(a->post);
    sqlite3_finalize(a->forget);
    json_clear(&a->tape);
    arena_clear(&a->arena);
    *a = (struct ledger_alerts){0};
}

/* ---- What it says. */

static struct slice text_of(const struct json_tape *tape, const char *name, struct arena *arena)
{
    uint32_t node = json_get(tape, 0, slice_str(name));
    return json_is(tape, node, JSON_STRING) ? json_text(tape, node, arena) : SLICE("");
}

static int64_t number_of(const struct json_tape *tape, const char *name)
{
    int64_t number;
    uint32_t node = json_get(tape, 0, slice_str(name));
    return json_is(tape, node, JSON_NUMBER) && json_to_i64(tape, node, &number) ? number : 0;
}

static void read_receivers(const struct json_tape *tape, struct arena *arena, struct ledger_alert *alert)
{
    uint32_t list = json_get(tape, 0, SLICE("to"));
    if (!json_is(tape, list, JSON_ARRAY)) return;
    for (uint32_t at = json_first(tape, list); at != JSON_NONE && alert->to_count < LIMIT_NOTICE_RECEIVERS;
         at = json_next(tape, at)) {
        if (json_is(tape, at, JSON_STRING)) alert->to[alert->to_count++] = json_text(tape, at, arena);
    }
}

bool ledger_alert_read(struct json_tape *tape, struct arena *arena, struct slice body, struct ledger_alert *alert)
{
    struct fault ignored;
    *alert = (struct ledger_alert){0};
    if (!json_parse(tape, body, &ignored) || !json_is(tape, 0, JSON_OBJECT)) return false;
    alert->id = text_of(tape, "id", arena);
    alert->key = text_of(tape, "key", arena);
    alert->text = text_of(tape, "text", arena);
    alert->rule = text_of(tape, "rule", arena);
    alert->owner = text_of(tape, "owner", arena);
    alert->start_s = number_of(tape, "period");
    alert->at = number_of(tape, "at");
    const char *mark = alert->rule.len ? memrchr(alert->rule.ptr, '@', alert->rule.len) : NULL;
    alert->budget = mark ? slice_of(alert->rule.ptr, (size_t)(mark - alert->rule.ptr)) : alert->rule;
    read_receivers(tape, arena, alert);
    return alert->key.len > 0 && alert->at > 0;
}

struct slice ledger_alert_sink(struct slice receiver, struct slice *address)
{
    return slice_split(receiver, ':', address);
}

/* ---- The tables. */

bool ledger_alerts_install(struct ledger_alerts *a, sqlite3 *db)
{
    static const char set[] = "INSERT INTO alerts(key, start_s, budget, at, seq, time_s) VALUES(?, ?, ?, ?, ?, ?)"
                              " ON CONFLICT DO UPDATE SET at = excluded.at, seq = excluded.seq,"
                              " time_s = excluded.time_s, whose = 0 WHERE excluded.at > at";
    static const char post[] = "INSERT INTO outbox(seq, sink, receiver, since_us, tries, next_us)"
                               " VALUES(?, ?, ?, ?, 0, 0)";
    static const char forget[] = "DELETE FROM alerts WHERE (key, start_s, budget) IN"
                                 " (SELECT key, start_s, budget FROM alerts WHERE time_s < ? LIMIT ?)";
    return sqlite3_prepare_v3(db, set, -1, SQLITE_PREPARE_PERSISTENT, &a->set, NULL) == SQLITE_OK &&
           sqlite3_prepare_v3(db, post, -1, SQLITE_PREPARE_PERSISTENT, &a->post, NULL) == SQLITE_OK &&
           sqlite3_prepare_v3(db, forget, -1, SQLITE_PREPARE_PERSISTENT, &a->forget, NULL) == SQLITE_OK;
}

static void bind_text(sqlite3_stmt *q, int at, struct slice text)
{
    sqlite3_bind_text(q, at, text.ptr ? text.ptr : "", (int)text.len, SQLITE_STATIC);
}

static bool run(sqlite3_stmt *q)
{
    bool is_good = sqlite3_step(q) == SQLITE_DONE;
    sqlite3_reset(q);
    return is_good;
}

static enum ledger_alerted set_row(struct ledger_alerts *a, const struct ledger_alert *alert, uint64_t seq,
                                   int64_t now_s)
{
    bind_text(a->set, 1, alert->key);
    sqlite3_bind_int64(a->set, 2, alert->start_s);
    bind_text(a->set, 3, alert->budget);
    sqlite3_bind_int64(a->set, 4, alert->at);
    sqlite3_bind_int64(a->set, 5, (sqlite3_int64)seq);
    sqlite3_bind_int64(a->set, 6, now_s);
    if (!run(a->set)) return ALERT_FAILED;
    return sqlite3_changes(sqlite3_db_handle(a->set)) ? ALERT_NEW : ALERT_KNOWN;
}

static bool post(struct ledger_alerts *a, struct slice receiver, uint64_t seq, int64_t now_us)
{
    struct slice address, sink = ledger_alert_sink(receiver, &address);
    sqlite3_bind_int64(a->post, 1, (sqlite3_int64)seq);
    bind_text(a->post, 2, sink);
    bind_text(a->post, 3, receiver);
    sqlite3_bind_int64(a->post, 4, now_us);
    a->has_posted = true;
    return run(a->post);
}

static bool forget_some(struct ledger_alerts *a, int64_t now_s)
{
    sqlite3_bind_int64(a->forget, 1, now_s - LIMIT_NOTICES_KEPT_S);
    sqlite3_bind_int64(a->forget, 2, FORGOTTEN_MAX);
    return run(a->forget);
}

static enum ledger_alerted note(struct ledger_alerts *a, struct slice body, uint64_t seq)
{
    struct ledger_alert alert;
    int64_t now_us = (int64_t)(clock_wall_ns() / 1000);
    if (!ledger_alert_read(&a->tape, &a->arena, body, &alert)) return ALERT_NEW;
    enum ledger_alerted is = set_row(a, &alert, seq, now_us / US_PER_S);
    for (size_t i = 0; is == ALERT_NEW && i < alert.to_count; i++)
        if (!post(a, alert.to[i], seq, now_us)) is = ALERT_FAILED;
    if (is == ALERT_NEW && !forget_some(a, now_us / US_PER_S)) is = ALERT_FAILED;
    return is;
}

enum ledger_alerted ledger_alerts_note(struct ledger_alerts *a, struct slice body, uint64_t seq)
{
    enum ledger_alerted is = note(a, body, seq);
    arena_clear(&a->arena);
    return is;
}

/* ---- What was given. */

static struct slice text_column(sqlite3_stmt *q, int at)
{
    const char *text = sqlite3_column_blob(q, at);
    return text ? slice_of(text, (size_t)sqlite3_column_bytes(q, at)) : SLICE("");
}

bool ledger_alerts_page(sqlite3 *db, const struct ledger_alerted_row *after, int64_t now_s, uint32_t max,
                        void (*fn)(void *arg, const struct ledger_alerted_row *row, bool is_own), void *arg)
{
    static const char sql[] =
        "SELECT a.key, a.start_s, a.budget, c.body,"
        " EXISTS(SELECT 1 FROM charges s WHERE s.key = a.key AND s.start_s = a.start_s AND s.stop_s > ?4)"
        " AND (a.whose = 1 OR (a.whose = 0 AND NOT EXISTS(SELECT 1 FROM outbox o WHERE o.seq = a.seq)))"
        " FROM alerts a LEFT JOIN chain c ON c.seq = a.seq"
        " WHERE (a.key, a.start_s, a.budget) > (?1, ?2, ?3) ORDER BY a.key, a.start_s, a.budget LIMIT ?5";
    sqlite3_stmt *q;
    int rc;
    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK) return false;
    bind_text(q, 1, after->key);
    sqlite3_bind_int64(q, 2, after->key.ptr ? after->start_s : INT64_MIN);
    bind_text(q, 3, after->budget);
    sqlite3_bind_int64(q, 4, now_s);
    sqlite3_bind_int64(q, 5, max);
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct ledger_alerted_row row = {.key = text_column(q, 0), .start_s = sqlite3_column_int64(q, 1),
                                         .budget = text_column(q, 2), .body = text_column(q, 3)};
        fn(arg, &row, sqlite3_column_int(q, 4));
    }
    sqlite3_finalize(q);
    return rc == SQLITE_DONE;
}

bool ledger_alerts_mark(sqlite3 *db, uint64_t seq, enum alerts_whose whose)
{
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(db, "UPDATE alerts SET whose = ? WHERE seq = ?", -1, &q, NULL) != SQLITE_OK) return false;
    sqlite3_bind_int(q, 1, (int)whose);
    sqlite3_bind_int64(q, 2, (sqlite3_int64)seq);
    bool is_good = run(q);
    sqlite3_finalize(q);
    return is_good;
}
