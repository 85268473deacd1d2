#include "ledger/session/zone.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"

void zone_init(struct zone *z, struct slice own)
{
    *z = (struct zone){.own = mem_strndup(own.len ? own.ptr : "", own.len)};
}

void zone_clear(struct zone *z)
{
    mem_free(z->own);
    z->own = NULL;
}

/* {-5, theirs}; "": nobody is there yet. */
void zone_refused(struct zone *z, const struct redis_reply *reply)
{
    struct slice others = reply->count >= 2 ? reply->items[1].text : SLICE("");
    if (!others.len) return;
    snprintf(z->others, sizeof z->others, "%.*s", SLICE_FMT(others));
    z->heard_ns = clock_mono_ns();
}

enum counters_begin zone_begin(const struct zone *z, bool is_new, uint32_t grace_ms)
{
    bool is_late = z->others[0] && clock_mono_ns() - z->heard_ns < 2 * (uint64_t)grace_ms * NS_PER_MS;
    if (!is_new) return COUNTERS_GOES_ON;
    return is_late ? COUNTERS_BEGINS_LATE : COUNTERS_BEGINS;
}
