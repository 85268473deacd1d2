#include "ledger/charging.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "store/counters/shared.h"
#include "store/ledger/ledger.h"
#include "store/ledger/charges.h"

#define CHUNK 256u /* sums, or holds, that are said under one lock */

struct charging {
    struct loop *loop;
    struct counters_shared *counters; /* NULL: nobody counts */
    struct ledger *ledger;
    struct loop_timer again; /* all of it is said: armed, nothing else is */
    struct loop_timer later; /* … once more: some sums found no place */
    bool is_full;            /* and was said to be */
    bool is_unread;          /* what was charged cannot be read, and was said not to be */
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static int64_t now_ns(void)
{
    return (int64_t)clock_wall_ns();
}

/* Said once: it is tried again five times a second. */
static bool note_read(struct charging *c, bool is_good)
{
    if (!is_good && !c->is_unread)
        log_event(LOG_ERROR, "charges_unread",
                  "what budgets were charged cannot be read from the ledger, and is not counted until it can: %s",
                  sqlite3_errmsg(ledger_connection(c->ledger)));
    c->is_unread = c->is_unread || !is_good;
    return is_good;
}

/* ---- All of it. */

struct telling {
    struct charging *c;
    struct arena arena; /* of the chunk's keys */
    struct counters_spent chunk[CHUNK];
    size_t count;
    bool is_good;
};

static void tell_chunk(struct telling *t)
{
    if (t->is_good)
        t->is_good = counters_shared_spend(t->c->counters, NULL, 0, t->chunk, t->count, now_ns());
    arena_clear(&t->arena);
    t->count = 0;
}

static void on_sum(void *arg, const struct counters_spent *spent)
{
    struct telling *t = arg;
    t->chunk[t->count] = *spent;
    t->chunk[t->count++].key = arena_copy(&t->arena, spent->key);
    if (t->count == CHUNK) tell_chunk(t);
}

/* Sums before holds, a chunk under one lock: others wait for no more than that. Between, money counts twice. */
static bool say(struct charging *c, const char (*holds)[COUNTERS_HOLD_BYTES], size_t hold_count,
                const struct counters_spent *sums, size_t count)
{
    bool is_good = true;
    for (size_t i = 0; i < count && is_good; i += CHUNK)
        is_good = counters_shared_spend(c->counters, NULL, 0, sums + i, smaller(count - i, CHUNK), now_ns());
    for (size_t i = 0; i < hold_count && is_good; i += CHUNK)
        is_good = counters_shared_spend(c->counters, holds + i, smaller(hold_count - i, CHUNK), NULL, 0, now_ns());
    return is_good;
}

/* Holds whose records are there: who would have dropped them was killed between, or could not have the counters. */
static bool drop_recorded(struct charging *c)
{
    size_t count = 0;
    char (*ids)[COUNTERS_HOLD_BYTES] = mem_alloc(LIMIT_COUNTERS_HOLDS * sizeof *ids);
    bool is_good = counters_shared_holds(c->counters, ids, LIMIT_COUNTERS_HOLDS, &count) &&
                   note_read(c, ledger_charges_recorded(ledger_connection(c->ledger), ids, &count)) &&
                   say(c, (const char (*)[COUNTERS_HOLD_BYTES])ids, count, NULL, 0);
    mem_free(ids);
    return is_good;
}

/* Said once: whoever may spend again what is not known to be spent. */
static void note_missed(struct charging *c, uint64_t before)
{
    uint64_t missed = counters_shared_missed(c->counters) - before;
    if (missed && !c->is_full)
        log_event(LOG_ERROR, "counters_full",
                  "%llu sums of budgets find no place among %u keys that are counted: budgets of these keys begin with"
                  " nothing spent; let limits and budgets count by what has fewer values, or for a shorter time",
                  (unsigned long long)missed, counters_shared_use(c->counters).cells_max);
    if (missed && !loop_timer_is_armed(&c->later)) loop_timer_arm_ms(&c->later, LIMIT_COUNTERS_FULL_MS);
    c->is_full = c->is_full || missed;
}

static bool tell_sums(struct charging *c)
{
    struct telling t = {.c = c, .is_good = true};
    int64_t after_s = now_ns() / (int64_t)NS_PER_S - LIMIT_COUNTERS_OVER_S;
    uint64_t missed = counters_shared_missed(c->counters);
    arena_init(&t.arena);
    bool is_read = ledger_charges_each(ledger_connection(c->ledger), after_s, on_sum, &t);
    tell_chunk(&t);
    arena_clear(&t.arena);
    note_read(c, is_read);
    if (c->is_full && is_read && t.is_good && counters_shared_missed(c->counters) == missed) {
        log_event(LOG_INFO, "counters_fit", "all sums of budgets have a place again");
        c->is_full = false;
    }
    note_missed(c, missed);
    return is_read && t.is_good;
}

static bool tell_all(struct charging *c)
{
    return tell_sums(c) && drop_recorded(c);
}

static void on_again(void *arg)
{
    struct charging *c = arg;
    if (!c->ledger) return;
    if (!tell_all(c)) {
        loop_timer_arm_ms(&c->again, LIMIT_LEDGER_RETRY_MS);
        return;
    }
    c->is_unread = false;
    counters_shared_seed(c->counters);
}

static void on_later(void *arg)
{
    struct charging *c = arg;
    if (c->ledger && !loop_timer_is_armed(&c->again)) on_again(c);
}

struct charging *charging_new(struct loop *loop, struct counters_shared *counters)
{
    struct charging *c = mem_zalloc(1, sizeof *c);
    c->loop = loop;
    c->counters = counters;
    loop_timer_init(&c->again, loop, on_again, c);
    loop_timer_init(&c->later, loop, on_later, c);
    return c;
}

void charging_free(struct charging *c)
{
    if (!c) return;
    loop_timer_disarm(&c->again);
    loop_timer_disarm(&c->later);
    mem_free(c);
}

void charging_open(struct charging *c, struct ledger *ledger)
{
    c->ledger = ledger;
    loop_timer_disarm(&c->again);
    if (c->counters) on_again(c);
}

/* ---- A batch. */

void charging_committed(struct charging *c)
{
    size_t hold_count, count;
    if (!c->counters || !c->ledger || loop_timer_is_armed(&c->again)) return; /* all of it will be said */
    struct ledger_charges *charges = ledger_last_charges(c->ledger);
    const char (*holds)[COUNTERS_HOLD_BYTES] = ledger_charges_holds(charges, &hold_count);
    const struct counters_spent *sums = ledger_charges_sums(charges, &count);
    uint64_t missed = counters_shared_missed(c->counters);
    if (!say(c, holds, hold_count, sums, count)) loop_timer_arm_ms(&c->again, LIMIT_LEDGER_RETRY_MS);
    note_missed(c, missed);
}

/* ---- What the dead held. */

struct claiming {
    bool (*is_claimed)(void *arg, uint64_t owner);
    void *arg;
};

static bool is_gone(void *arg, uint64_t owner)
{
    const struct claiming *claiming = arg;
    return !claiming->is_claimed(claiming->arg, owner);
}

bool charging_claim(struct charging *c, bool (*is_claimed)(void *arg, uint64_t owner), void *arg)
{
    uint32_t returned = 0;
    struct claiming claiming = {is_claimed, arg};
    if (!c->counters) return true;
    if (!counters_shared_return(c->counters, is_gone, &claiming, &returned)) return false;
    if (returned == 0) return true;
    log_event(LOG_WARN, "holds_returned",
              "what %u requests of workers that died had taken of limits and budgets is given back", returned);
    return true;
}
