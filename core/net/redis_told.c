#include "base/clock.h"
#include "base/log.h"
#include "net/redis_inner.h"

#define AGAIN_NS (60 * NS_PER_S) /* what goes on is told so often */

/* ---- Errors. */

/* What can be done about it by whoever runs it; "": its own words say it, or it passes. */
static const char *cure_of(enum redis_error error)
{
    switch (error) {
    case REDIS_OOM: return ": its memory is full: raise its maxmemory";
    case REDIS_NOPERM:
        return ": the user of redis.url needs the keys of its scripts and +@all -@dangerous +role +info +config|get";
    case REDIS_MOVED:
        return ": it is one node of a Redis Cluster, and another one has these keys, which are all in one slot: "
               "redis.url is to name a Redis without a cluster, or the node that has them";
    case REDIS_CLUSTERDOWN: return ": its cluster does not serve: redis-cli CLUSTER INFO says why";
    case REDIS_NOREPLICAS: return ": it has fewer replicas than its min-replicas-to-write asks for";
    case REDIS_BUSY: return ": a script runs for too long there: SCRIPT KILL ends it";
    case REDIS_FAILED:
    case REDIS_NOSCRIPT:
    case REDIS_READONLY:
    case REDIS_LOADING:
    case REDIS_MASTERDOWN:
    case REDIS_NOAUTH:
    case REDIS_WRONGPASS: return "";
    }
    return "";
}

static bool is_time(uint64_t *told_ns, uint64_t now_ns)
{
    if (*told_ns && now_ns - *told_ns < AGAIN_NS) return false;
    *told_ns = now_ns;
    return true;
}

void redis_told_error(struct redis_told *t, const char *place, const struct redis_reply *reply, uint64_t now_ns)
{
    if (reply->kind != REDIS_ERROR || reply->error == REDIS_NOSCRIPT) return;
    if (!is_time(&t->error_ns[reply->error], now_ns)) return;
    log_event(LOG_WARN, "redis_error", "%s: %.200s%s", place, reply->text.ptr, cure_of(reply->error));
}

/* ---- Time. */

void redis_told_slow(struct redis_told *t, const char *place, unsigned misses, uint64_t now_ns)
{
    if (!is_time(&t->slow_ns, now_ns)) return;
    t->is_slow = true;
    log_event(LOG_WARN, "redis_slow", "%s has missed %u deadlines in a row", place, misses);
}

void redis_told_fast(struct redis_told *t, const char *place)
{
    if (t->is_slow) log_event(LOG_INFO, "redis_fast", "%s answers in time again", place);
    t->is_slow = false;
}

/* ---- What the greeting has found. */

static void tell_once(bool *has_told, const char *event, const char *text)
{
    if (!*has_told) log_event(LOG_WARN, event, "%s", text);
    *has_told = true;
}

static void tell_scripts(struct redis_told *t, const char *place, const struct redis_greet *g)
{
    bool is_new = g->script_why[0] && !t->has_scripts;
    t->has_scripts = g->script_why[0];
    if (!is_new) return;
    log_event(LOG_WARN, "redis_script", "%s does not take a script: %s%s", place, g->script_why,
              g->script_error == REDIS_FAILED ? ": Redis 7 or newer, or Valkey, is needed" : cure_of(g->script_error));
}

void redis_told_greeting(struct redis_told *t, const char *place, const struct redis_greet *g)
{
    tell_scripts(t, place, g);
    if (g->is_role_hidden)
        tell_once(&t->has_role, "redis_role",
                  "the user of redis.url may not ask for the ROLE of this Redis: a replica is noticed late (+role)");
    if (g->eviction == REDIS_EVICTS)
        tell_once(&t->has_eviction, "redis_eviction",
                  "this Redis may evict what budgets are counted by: set maxmemory-policy noeviction");
    if (g->eviction == REDIS_EVICTION_UNKNOWN)
        tell_once(&t->has_eviction, "redis_eviction",
                  "the user of redis.url may not ask for maxmemory-policy (+config|get or +info): it must be "
                  "noeviction");
}
