#include "admin/api/tries.h"

#include "base/clock.h"
#include "base/lru.h"
#include "base/mem.h"

struct tries {
    struct tries_rule rule;
    struct lru *known; /* when all that was taken will have been given back, ns */
};

struct tries *tries_new(const struct tries_rule *rule)
{
    struct tries *t = mem_zalloc(1, sizeof *t);
    t->rule = *rule;
    t->known = lru_new(&(struct lru_rules){.entries_max = LIMIT_TRIES});
    return t;
}

void tries_free(struct tries *t)
{
    if (!t) return;
    lru_free(t->known);
    mem_free(t);
}

unsigned tries_take(struct tries *t, struct slice who, uint64_t now_ns)
{
    uint64_t due_ns = 0, each_ns = t->rule.each_ms * NS_PER_MS;
    struct slice kept = lru_get(t->known, who);
    if (kept.len == sizeof due_ns) memcpy(&due_ns, kept.ptr, sizeof due_ns);
    if (due_ns < now_ns) due_ns = now_ns;
    uint64_t ahead_ns = due_ns - now_ns, room_ns = each_ns * (t->rule.burst - 1u);
    if (ahead_ns > room_ns) return (unsigned)((ahead_ns - room_ns + NS_PER_S - 1) / NS_PER_S);
    due_ns += each_ns;
    void *to = lru_put(t->known, who, sizeof due_ns);
    if (to) memcpy(to, &due_ns, sizeof due_ns);
    return 0;
}
