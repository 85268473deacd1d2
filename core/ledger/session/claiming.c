#include "ledger/session/claiming.h"

#include "base/arena.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/mem.h"

struct asked {
    struct list_link link;
    struct claiming *claiming;
    uint64_t seq;
};

struct claiming {
    struct counters_redis *redis;
    const struct claiming_events *events;
    void *arg;
    struct list_link all;
};

static void drop(struct asked *asked)
{
    list_remove(&asked->link);
    mem_free(asked);
}

static enum alerts_whose whose(const struct redis_answer *answer)
{
    const struct redis_reply *reply = answer->outcome == REDIS_ANSWERED ? answer->reply : NULL;
    if (!reply || counters_script_reply(reply) != COUNTERS_REPLY_OK || reply->count < 2) return ALERTS_UNKNOWN;
    return reply->items[1].integer == 1 ? ALERTS_OWN : ALERTS_ANOTHERS;
}

static void on_answer(void *arg, const struct redis_answer *answer)
{
    struct asked *asked = arg;
    struct claiming *c = asked->claiming;
    uint64_t seq = asked->seq;
    drop(asked);
    c->events->on_claimed(c->arg, seq, whose(answer));
}

bool claiming_ask(struct claiming *c, const char *epoch, const char *source, const struct counters_claim *claim,
                  uint64_t seq)
{
    struct arena arena;
    struct asked *asked = mem_zalloc(1, sizeof *asked);
    *asked = (struct asked){.claiming = c, .seq = seq};
    arena_init(&arena);
    struct counters_call call = counters_call_claim(epoch, source, claim, 1, &arena);
    list_append(&c->all, &asked->link);
    bool is_taken = counters_redis_call(c->redis, &call, LIMIT_COUNTERS_ERRAND_MS, on_answer, asked) == REDIS_TAKEN;
    if (!is_taken) drop(asked);
    arena_clear(&arena);
    return is_taken;
}

struct claiming *claiming_new(struct counters_redis *redis, const struct claiming_events *events, void *arg)
{
    struct claiming *c = mem_zalloc(1, sizeof *c);
    *c = (struct claiming){.redis = redis, .events = events, .arg = arg};
    list_init(&c->all);
    return c;
}

void claiming_free(struct claiming *c)
{
    if (!c) return;
    while (!list_is_empty(&c->all))
        drop(LIST_OWNER(c->all.next, struct asked, link));
    mem_free(c);
}
