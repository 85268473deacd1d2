#include "ledger/session/telling.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "ledger/session/errand.h"
#include "net/loop.h"
#include "store/ledger/ledger.h"
#include "store/ledger/alerts.h"
#include "store/ledger/charges.h"
#include "store/ledger/sessions.h"

struct telling {
    struct counters_redis *redis;
    const struct telling_events *events;
    void *arg;
    struct errand errand;
    struct loop_work next; /* the page after one without anything to tell */
    struct ledger *ledger; /* NULL: nothing is under way */
    char session[COUNTERS_NAME_BYTES], source[LEDGER_SOURCE_BYTES];
    bool is_exact, is_audit;

    struct arena keys[2]; /* of this page, and of the one before, on whose last it follows */
    unsigned turn;
    struct counters_spent last; /* that was read */
    struct counters_spent page[LIMIT_COUNTERS_TOLD];
    size_t count, read; /* of the page; read: and those that count no more */
    bool is_at_notices;
    struct ledger_alerted_row last_notice;
    struct counters_claim claims[LIMIT_COUNTERS_TOLD];
    struct json_tape tape;

    char cursor[24]; /* of the holds */
    char (*over)[COUNTERS_HOLD_BYTES]; /* of a page of them, those whose records are there */
    size_t over_count;
    uint64_t dead[LIMIT_WORKERS]; /* owners */
    size_t dead_count;
    uint64_t returned;
};

const char *telling_fault(const struct redis_reply *reply)
{
    static char why[FAULT_TEXT_BYTES];
    if (!reply) return "Redis does not answer";
    if (counters_script_reply(reply) == COUNTERS_REPLY_OK) return "";
    if (reply->kind == REDIS_ERROR)
        snprintf(why, sizeof why, "Redis answers %.*s", SLICE_FMT(reply->text));
    else
        snprintf(why, sizeof why, "Redis has another state (%d)", (int)counters_script_reply(reply));
    return why;
}

static size_t some_of(size_t count)
{
    return count < LIMIT_COUNTERS_TOLD ? count : LIMIT_COUNTERS_TOLD;
}

static struct counters_place place_of(const struct telling *t, uint64_t owner)
{
    return (struct counters_place){.session = t->session, .epoch = "", .owner = owner};
}

static void end(struct telling *t, const char *why)
{
    telling_stop(t);
    t->events->on_end(t->arg, why);
}

/* True: it can be gone on with. */
static bool is_good(struct telling *t, const struct redis_reply *reply)
{
    const char *why = telling_fault(reply);
    if (why[0]) end(t, why);
    return !why[0];
}

/* The same, of an answer with so much in it. */
static bool has_all(struct telling *t, const struct redis_reply *reply, size_t count)
{
    if (!is_good(t, reply)) return false;
    if (reply->count < count) end(t, "Redis answers less than was asked");
    return reply->count >= count;
}

static void ask(struct telling *t, const struct counters_call *call, errand_fn fn)
{
    if (!errand_ask(&t->errand, call, fn)) end(t, "Redis takes nothing now");
}

static bool is_read(struct telling *t, bool is_good)
{
    if (!is_good) end(t, "the ledger's sums cannot be read");
    return is_good;
}

static struct sqlite3 *db_of(struct telling *t)
{
    return ledger_connection(t->ledger);
}

/* ---- What the dead hold. */

static void return_dead(struct telling *t);

static void on_returned(void *arg, const struct redis_reply *reply)
{
    struct telling *t = arg;
    if (!has_all(t, reply, 3)) return;
    snprintf(t->cursor, sizeof t->cursor, "%.*s", SLICE_FMT(reply->items[1].text));
    t->returned += (uint64_t)reply->items[2].integer;
    if (strcmp(t->cursor, "0") == 0) t->dead_count--;
    return_dead(t);
}

static void return_dead(struct telling *t)
{
    if (t->dead_count) {
        struct counters_place place = place_of(t, t->dead[t->dead_count - 1]);
        struct counters_call call = counters_call_return(&place, t->cursor, errand_arena(&t->errand));
        ask(t, &call, on_returned);
        return;
    }
    if (t->returned)
        log_event(LOG_WARN, "holds_returned",
                  "what %llu requests of workers that died had taken of the fleet's limits and budgets is given back",
                  (unsigned long long)t->returned);
    end(t, "");
}

/* ---- Holds. */

static void read_holds(struct telling *t);
static void drop_over(struct telling *t);

static void note_owner(struct telling *t, struct slice text)
{
    uint64_t owner;
    if (!counters_script_owner(text, &owner)) return;
    for (size_t i = 0; i < t->dead_count; i++)
        if (t->dead[i] == owner) return;
    if (t->dead_count == LIMIT_WORKERS || t->events->is_claimed(t->arg, owner)) return; /* the others next time */
    t->dead[t->dead_count++] = owner;
}

/* {1, cursor, id, owner, …} */
static void note_holds(struct telling *t, const struct redis_reply *reply)
{
    t->over = mem_realloc(t->over, (reply->count / 2 + 1) * sizeof *t->over);
    t->over_count = 0;
    for (size_t i = 2; i + 1 < reply->count; i += 2) {
        struct slice id = reply->items[i].text;
        note_owner(t, reply->items[i + 1].text);
        if (id.len >= COUNTERS_HOLD_BYTES) continue;
        memset(t->over[t->over_count], 0, COUNTERS_HOLD_BYTES);
        memcpy(t->over[t->over_count++], id.ptr, id.len);
    }
}

static void on_holds(void *arg, const struct redis_reply *reply)
{
    struct telling *t = arg;
    if (!has_all(t, reply, 2)) return;
    snprintf(t->cursor, sizeof t->cursor, "%.*s", SLICE_FMT(reply->items[1].text));
    note_holds(t, reply);
    if (is_read(t, ledger_charges_recorded(db_of(t), t->over, &t->over_count))) drop_over(t);
}

static void on_dropped(void *arg, const struct redis_reply *reply)
{
    struct telling *t = arg;
    if (is_good(t, reply)) drop_over(t);
}

static void drop_over(struct telling *t)
{
    size_t some = some_of(t->over_count);
    struct counters_place place = place_of(t, 0);
    if (some) {
        t->over_count -= some;
        const char (*ids)[COUNTERS_HOLD_BYTES] = (const char (*)[COUNTERS_HOLD_BYTES])t->over + t->over_count;
        struct counters_call call =
            counters_call_spend(&place, t->source, false, ids, some, NULL, 0, errand_arena(&t->errand));
        ask(t, &call, on_dropped);
    } else if (strcmp(t->cursor, "0") == 0) {
        return_dead(t);
    } else {
        read_holds(t);
    }
}

static void read_holds(struct telling *t)
{
    struct counters_place place = place_of(t, 0);
    struct counters_call call = counters_call_holds(&place, t->cursor, errand_arena(&t->errand));
    ask(t, &call, on_holds);
}

static void begin_holds(struct telling *t)
{
    snprintf(t->cursor, sizeof t->cursor, "0");
    t->dead_count = 0;
    t->returned = 0;
    read_holds(t);
}

/* ---- Sums. */

static void on_told(void *arg, const struct redis_reply *reply)
{
    struct telling *t = arg;
    if (is_good(t, reply)) loop_work_add(&t->next);
}

static struct slice keep(struct telling *t, struct slice text)
{
    struct slice kept = arena_copy(&t->keys[t->turn], text);
    return kept.ptr ? kept : SLICE("");
}

static void on_sum(void *arg, const struct counters_spent *spent, bool counts)
{
    struct telling *t = arg;
    t->read++;
    t->last = *spent;
    t->last.key = keep(t, spent->key);
    if (counts) t->page[t->count++] = t->last;
}

/* ---- Notices. */

static void on_notice(void *arg, const struct ledger_alerted_row *row, bool is_own)
{
    struct telling *t = arg;
    struct ledger_alert alert;
    t->read++;
    t->last_notice = (struct ledger_alerted_row){.key = keep(t, row->key), .budget = keep(t, row->budget),
                                                 .start_s = row->start_s};
    if (!is_own || !ledger_alert_read(&t->tape, &t->keys[t->turn], row->body, &alert) || !alert.id.len) return;
    t->claims[t->count++] = (struct counters_claim){.id = keep(t, alert.id), .start_s = row->start_s};
}

/* ---- A page of either. */

static bool read_page(struct telling *t)
{
    struct counters_spent after = t->last;
    struct ledger_alerted_row after_notice = t->last_notice;
    int64_t now_s = (int64_t)(clock_wall_ns() / NS_PER_S);
    t->turn ^= 1;
    arena_clear(&t->keys[t->turn]);
    t->count = t->read = 0;
    if (t->is_at_notices)
        return ledger_alerts_page(db_of(t), &after_notice, now_s, LIMIT_COUNTERS_TOLD, on_notice, t);
    return ledger_charges_page(db_of(t), &after, now_s, LIMIT_COUNTERS_TOLD, on_sum, t);
}

static struct counters_call tell_page(struct telling *t)
{
    struct counters_place place = place_of(t, 0);
    struct arena *arena = errand_arena(&t->errand);
    if (t->is_at_notices) return counters_call_claim("", t->source, t->claims, t->count, arena);
    return counters_call_spend(&place, t->source, t->is_exact, NULL, 0, t->page, t->count, arena);
}

static void on_next(void *arg)
{
    struct telling *t = arg;
    if (!t->is_audit && !is_read(t, read_page(t))) return;
    if (t->is_audit || (!t->read && t->is_at_notices)) {
        begin_holds(t);
        return;
    }
    if (!t->read) t->is_at_notices = true;
    if (t->count) {
        struct counters_call call = tell_page(t);
        ask(t, &call, on_told);
    } else {
        loop_work_add(&t->next);
    }
}

/* ---- A commit. */

static void on_committed(void *arg, const struct redis_answer *answer)
{
    struct telling *t = arg;
    const char *why = telling_fault(answer->outcome == REDIS_ANSWERED ? answer->reply : NULL);
    if (why[0]) t->events->on_lost(t->arg, why);
}

static bool spend(struct telling *t, const struct counters_place *place, const char *source,
                  const char (*holds)[COUNTERS_HOLD_BYTES], size_t hold_count, const struct counters_spent *sums,
                  size_t count)
{
    struct arena arena;
    arena_init(&arena);
    struct counters_call call = counters_call_spend(place, source, false, holds, hold_count, sums, count, &arena);
    enum redis_taken taken = counters_redis_call(t->redis, &call, LIMIT_COUNTERS_ERRAND_MS, on_committed, t);
    arena_clear(&arena);
    return taken == REDIS_TAKEN;
}

/* Sums before holds: between, money counts twice. What fits goes in one call, the rest a piece at a time. */
void telling_commit(struct telling *t, struct ledger *ledger, const char *session, const char *source)
{
    size_t hold_count, count;
    struct counters_place place = {.session = session, .epoch = ""};
    struct ledger_charges *charges = ledger_last_charges(ledger);
    const char (*holds)[COUNTERS_HOLD_BYTES] = ledger_charges_holds(charges, &hold_count);
    const struct counters_spent *sums = ledger_charges_sums(charges, &count);
    bool is_good = true;
    while (is_good && (count || hold_count)) {
        size_t some = some_of(count), over = some == count ? some_of(hold_count) : 0;
        is_good = spend(t, &place, source, holds, over, sums, some);
        sums += some, count -= some, holds += over, hold_count -= over;
    }
    if (!is_good) t->events->on_lost(t->arg, "Redis takes nothing now");
}

/* ---- The whole. */

static void begin(struct telling *t, struct ledger *ledger, const char *session, const char *source, bool is_audit)
{
    telling_stop(t);
    t->ledger = ledger;
    t->is_audit = is_audit;
    t->is_at_notices = false;
    t->last = (struct counters_spent){0};
    t->last_notice = (struct ledger_alerted_row){0};
    loop_work_add(&t->next);
    snprintf(t->session, sizeof t->session, "%s", session);
    snprintf(t->source, sizeof t->source, "%s", source);
}

void telling_start(struct telling *t, struct ledger *ledger, const char *session, const char *source, bool is_exact)
{
    begin(t, ledger, session, source, false);
    t->is_exact = is_exact;
}

void telling_audit(struct telling *t, struct ledger *ledger, const char *session, const char *source)
{
    begin(t, ledger, session, source, true);
}

void telling_stop(struct telling *t)
{
    errand_drop(&t->errand);
    loop_work_drop(&t->next);
    t->ledger = NULL;
}

bool telling_is_under_way(const struct telling *t)
{
    return t->ledger != NULL;
}

struct telling *telling_new(struct loop *loop, struct counters_redis *redis, const struct telling_events *events,
                            void *arg)
{
    struct telling *t = mem_zalloc(1, sizeof *t);
    t->redis = redis;
    t->events = events;
    t->arg = arg;
    errand_init(&t->errand, redis, t);
    loop_work_init(&t->next, loop, on_next, t);
    json_init(&t->tape);
    arena_init(&t->keys[0]);
    arena_init(&t->keys[1]);
    return t;
}

void telling_free(struct telling *t)
{
    if (!t) return;
    telling_stop(t);
    errand_clear(&t->errand);
    json_clear(&t->tape);
    arena_clear(&t->keys[0]);
    arena_clear(&t->keys[1]);
    mem_free(t->over);
    mem_free(t);
}
