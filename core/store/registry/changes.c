#include "base/clock.h"
#include "base/uuid.h"
#include "store/registry/registry_inner.h"

/* ---- Read by the ledger process: an event as an entry of the chain. */

/* The milliseconds that a UUIDv7 begins with. */
static uint64_t time_of(struct slice id, int64_t at_s)
{
    uint64_t ms = 0;
    uint8_t bits[UUID_BYTES];
    if (id.len < 4 || !uuid_read(slice_of(id.ptr + 4, id.len - 4), bits)) return (uint64_t)at_s * NS_PER_S;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | bits[i];
    return ms * NS_PER_MS;
}

static void write_entry(const struct registry_query *q, struct buf *out)
{
    struct change_by by = {.actor = registry_text(q, 3),
                           .uid = (uint32_t)registry_int(q, 4),
                           .host = registry_text(q, 5),
                           .via = registry_text(q, 6),
                           .reason = registry_text(q, 9)};
    struct slice id = registry_text(q, 1);
    struct change c = {.by = &by,
                       .wall_ns = time_of(id, registry_int(q, 2)),
                       .action = registry_text(q, 7),
                       .target = registry_text(q, 8),
                       .result = SLICE("ok"),
                       .before = registry_text(q, 10),
                       .after = registry_text(q, 11)};
    snprintf(c.id, sizeof c.id, "%.*s", SLICE_FMT(id));
    buf_reset(out);
    change_write(&c, out);
}

bool registry_changes(struct registry *r, uint64_t after, unsigned max,
                      void (*each)(void *arg, uint64_t number, struct slice body), void *arg, struct fault *why)
{
    struct buf entry;
    bool is_mine = true;
    if (r->engine->claim && !r->engine->claim(r, &is_mine, why)) return false;
    if (!is_mine) return true; /* another gateway's ledger takes them now */
    struct registry_query *q =
        REGISTRY_ASK(r,
                     "SELECT rev, id, at, actor, uid, host, via, action, object, reason, before, after FROM event"
                     " WHERE chained = 0 AND rev > ? ORDER BY rev LIMIT ?",
                     value_int((int64_t)after), value_int(max));
    buf_init(&entry);
    while (registry_next(q)) {
        write_entry(q, &entry);
        each(arg, (uint64_t)registry_int(q, 0), buf_slice(&entry));
    }
    buf_clear(&entry);
    return registry_end(q, why);
}

bool registry_changes_taken(struct registry *r, uint64_t last, struct fault *why)
{
    return REGISTRY_DO(r, why, "UPDATE event SET chained = 1 WHERE chained = 0 AND rev <= ?", value_int((int64_t)last));
}

/* ---- Read by gateways that are behind. */

bool registry_since(struct registry *r, int64_t after,
                    void (*each)(void *arg, struct slice action, struct slice object), void *arg, bool *is_far,
                    int64_t *rev, struct fault *why)
{
    int64_t epoch;
    if (!registry_moment(r, &epoch, rev, why)) return false;
    *is_far = *rev < after || *rev - after > REGISTRY_BEHIND;
    if (*is_far) return true;
    struct registry_query *q =
        REGISTRY_ASK(r, "SELECT action, object FROM event WHERE rev > ? ORDER BY rev", value_int(after));
    while (registry_next(q))
        each(arg, registry_text(q, 0), registry_text(q, 1));
    return registry_end(q, why);
}
