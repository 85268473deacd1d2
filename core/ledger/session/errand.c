#include "ledger/session/errand.h"

#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"

struct errand_asked {
    struct list_link link;
    struct errand *errand;
    errand_fn fn;
};

void errand_init(struct errand *e, struct counters_redis *redis, void *arg)
{
    *e = (struct errand){.redis = redis, .arg = arg};
    arena_init(&e->arena);
    list_init(&e->all);
}

static void forget(struct errand_asked *asked)
{
    list_remove(&asked->link);
    mem_free(asked);
}

void errand_clear(struct errand *e)
{
    while (!list_is_empty(&e->all))
        forget(LIST_OWNER(e->all.next, struct errand_asked, link));
    arena_clear(&e->arena);
    e->now = NULL;
}

struct arena *errand_arena(struct errand *e)
{
    arena_clear(&e->arena);
    return &e->arena;
}

static void on_answer(void *arg, const struct redis_answer *answer)
{
    struct errand_asked *asked = arg;
    struct errand *e = asked->errand;
    errand_fn fn = e->now == asked ? asked->fn : NULL;
    if (fn) e->now = NULL;
    forget(asked);
    if (fn) fn(e->arg, answer->outcome == REDIS_ANSWERED ? answer->reply : NULL);
}

bool errand_ask(struct errand *e, const struct counters_call *call, errand_fn fn)
{
    check(!e->now);
    struct errand_asked *asked = mem_zalloc(1, sizeof *asked);
    *asked = (struct errand_asked){.errand = e, .fn = fn};
    list_append(&e->all, &asked->link);
    if (counters_redis_call(e->redis, call, LIMIT_COUNTERS_ERRAND_MS, on_answer, asked) != REDIS_TAKEN) {
        forget(asked);
        return false;
    }
    e->now = asked;
    return true;
}

bool errand_is_asked(const struct errand *e)
{
    return e->now != NULL;
}

void errand_drop(struct errand *e)
{
    e->now = NULL;
}
