#include "ledger/session/reclaim.h"

#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "ledger/session/errand.h"

#define WAITING_MAX 64u

struct over {
    struct list_link link;
    char session[COUNTERS_NAME_BYTES], cursor[24];
    bool is_own, is_fenced;
    bool is_again; /* it turned out to be this gateway's own: what is settled goes, too */
    uint64_t returned;
};

struct reclaim {
    const struct reclaim_events *events;
    void *arg;
    struct errand errand;
    struct list_link waiting; /* the first is under way */
    size_t count;
    size_t tries; /* so many may fail yet, until it is told to go again */
};

static void go(struct reclaim *r);

static struct over *first(struct reclaim *r)
{
    return list_is_empty(&r->waiting) ? NULL : LIST_OWNER(r->waiting.next, struct over, link);
}

static void drop(struct reclaim *r, struct over *over)
{
    list_remove(&over->link);
    r->count--;
    mem_free(over);
}

static void leave_out(struct reclaim *r)
{
    drop(r, first(r));
    go(r);
}

/* The others come first then. */
static void put_off(struct reclaim *r)
{
    struct over *over = first(r);
    list_remove(&over->link);
    list_append(&r->waiting, &over->link);
}

/* Redis answers, and says something else than it should: it may do so for ever. Another gateway's is found again. */
static void fail(struct reclaim *r)
{
    if (!first(r)->is_own) {
        leave_out(r);
        return;
    }
    put_off(r);
    if (r->tries == 0 || --r->tries == 0) return;
    go(r);
}

static void finish(struct reclaim *r)
{
    struct over over = *first(r);
    if (over.is_again) {
        first(r)->is_again = false;
        go(r);
        return;
    }
    drop(r, first(r));
    r->events->on_cleared(r->arg, over.session, over.is_own, over.returned);
    go(r);
}

static void on_returned(void *arg, const struct redis_reply *reply)
{
    struct reclaim *r = arg;
    struct over *over = first(r);
    enum counters_reply code = reply ? counters_script_reply(reply) : COUNTERS_REPLY_NONE;
    if (!reply) {
        put_off(r);
    } else if (code == COUNTERS_REPLY_FENCED) {
        leave_out(r);
    } else if (code != COUNTERS_REPLY_OK || reply->count < 3) {
        fail(r);
    } else {
        snprintf(over->cursor, sizeof over->cursor, "%.*s", SLICE_FMT(reply->items[1].text));
        over->returned += (uint64_t)reply->items[2].integer;
        if (strcmp(over->cursor, "0") == 0) finish(r);
        else go(r);
    }
}

static void on_fenced(void *arg, const struct redis_reply *reply)
{
    struct reclaim *r = arg;
    enum counters_reply code = reply ? counters_script_reply(reply) : COUNTERS_REPLY_NONE;
    if (!reply) {
        put_off(r);
    } else if (code == COUNTERS_REPLY_FENCED) {
        leave_out(r);
    } else if (code == COUNTERS_REPLY_NO) { /* nothing is known of it */
        finish(r);
    } else if (code == COUNTERS_REPLY_OK) {
        first(r)->is_fenced = true;
        go(r);
    } else {
        fail(r);
    }
}

static void go(struct reclaim *r)
{
    struct over *over = first(r);
    if (!over || errand_is_asked(&r->errand)) return;
    struct arena *arena = errand_arena(&r->errand);
    struct counters_call call = over->is_fenced
                                    ? counters_call_reclaim(over->session, over->is_own, over->cursor, arena)
                                    : counters_call_fence(over->session, over->is_own, arena);
    errand_ask(&r->errand, &call, over->is_fenced ? on_returned : on_fenced);
}

void reclaim_go(struct reclaim *r)
{
    r->tries = r->count;
    go(r);
}

/* Behind the one under way. */
static void put(struct reclaim *r, struct over *over)
{
    struct list_link *behind = over->is_own ? r->waiting.next : r->waiting.prev;
    list_append(behind == &r->waiting ? &r->waiting : behind->next, &over->link);
    r->count++;
}

static struct over *find(struct reclaim *r, const char *session)
{
    for (struct list_link *at = r->waiting.next; at != &r->waiting; at = at->next) {
        struct over *over = LIST_OWNER(at, struct over, link);
        if (strcmp(over->session, session) == 0) return over;
    }
    return NULL;
}

void reclaim_add(struct reclaim *r, const char *session, bool is_own)
{
    struct over *known = find(r, session);
    if (known) {
        known->is_again = known->is_again || (is_own && !known->is_own);
        known->is_own = known->is_own || is_own;
        return;
    }
    if (r->count >= WAITING_MAX && !is_own) return;
    struct over *over = mem_zalloc(1, sizeof *over);
    *over = (struct over){.is_own = is_own, .cursor = "0"};
    snprintf(over->session, sizeof over->session, "%s", session);
    list_init(&over->link);
    put(r, over);
}

void reclaim_add_others(struct reclaim *r, const char *own, const struct redis_reply *names, size_t count)
{
    char name[COUNTERS_NAME_BYTES];
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%.*s", SLICE_FMT(names[i].text));
        if (strcmp(name, own) != 0) reclaim_add(r, name, false);
    }
    reclaim_go(r);
}

struct reclaim *reclaim_new(struct counters_redis *redis, const struct reclaim_events *events, void *arg)
{
    struct reclaim *r = mem_zalloc(1, sizeof *r);
    r->events = events;
    r->arg = arg;
    errand_init(&r->errand, redis, r);
    list_init(&r->waiting);
    return r;
}

void reclaim_free(struct reclaim *r)
{
    if (!r) return;
    errand_clear(&r->errand);
    while (first(r))
        drop(r, first(r));
    mem_free(r);
}
