#include "store/confirmed.h"

#include "base/clock.h"

void confirmed_begin(struct confirmed *c)
{
    atomic_store(&c->is_shared, 1);
}

/* Two processes read: the later moment stands. */
static void raise(_Atomic uint64_t *at, uint64_t to)
{
    uint64_t now = atomic_load(at);
    while (now < to && !atomic_compare_exchange_weak(at, &now, to))
        continue;
}

/* Never a new epoch beside the old one's revision: who reads in between finds none. */
void confirmed_hold(struct confirmed *c, uint64_t epoch, uint64_t revision, uint64_t read_ns)
{
    if (atomic_load(&c->epoch) != epoch) {
        atomic_store(&c->revision, 0);
        atomic_store(&c->epoch, epoch);
    }
    atomic_store(&c->revision, revision);
    raise(&c->at_ns, read_ns);
}

bool confirmed_see(struct confirmed *c, const struct confirmed_seen *seen)
{
    atomic_store(&c->ahead_ms, seen->ahead_ms);
    atomic_store(&c->late_ms, seen->late_ms);
    bool is_all = atomic_load(&c->epoch) == seen->epoch && atomic_load(&c->revision) >= seen->revision;
    if (is_all) raise(&c->at_ns, seen->asked_ns);
    return is_all;
}

bool confirmed_is_shared(const struct confirmed *c)
{
    return c && atomic_load(&c->is_shared);
}

uint64_t confirmed_age_ns(const struct confirmed *c, uint64_t now_ns)
{
    if (!confirmed_is_shared(c)) return 0;
    uint64_t at_ns = atomic_load(&c->at_ns);
    if (at_ns == 0) return UINT64_MAX;
    return now_ns > at_ns ? now_ns - at_ns : 0;
}

bool confirmed_is_stale(const struct confirmed *c, uint64_t now_ns, uint32_t max_stale_ms)
{
    return confirmed_age_ns(c, now_ns) > max_stale_ms * (uint64_t)NS_PER_MS;
}

int64_t confirmed_early_ms(const struct confirmed *c)
{
    int64_t late_ms = confirmed_is_shared(c) ? atomic_load(&c->late_ms) : 0;
    return late_ms > 0 ? late_ms : 0;
}

int64_t confirmed_ahead_ms(const struct confirmed *c)
{
    return confirmed_is_shared(c) ? atomic_load(&c->ahead_ms) : 0;
}
