/*
 * What somebody changed, as an entry of the ledger's chain (CHAIN_CHANGE): who, by what way, what, and the difference.
 *
 *     struct change_by by = {.actor = SLICE("kim"), .uid = 1000, .host = SLICE("gw-1"), .via = SLICE("cli")};
 *     struct change c = {.by = &by, .wall_ns = clock_wall_ns(), .action = SLICE("keys.revoke"), .target = key_id,
 *                        .result = SLICE("ok"), .before = SLICE("{\"revoked\":false}"), …};
 *     change_make_id(c.id, c.wall_ns);
 *     change_write(&c, &json);
 *
 *     {"id":"chg_…","time","actor","uid","host","via","action","target","result","reason","error","before","after"}
 *
 * What is empty is left out. `error`, `before` and `after` are JSON, differences alone; whoever makes them sees to it
 * that no secret is in them. An entry is known by its id: the ledger keeps each once.
 */
#ifndef MOONGATE_STORE_CHANGE_H
#define MOONGATE_STORE_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/uuid.h"

#define CHANGE_ID_BYTES (4 + UUID_TEXT_BYTES) /* "chg_" and a UUIDv7 */

struct change_by {
    struct slice actor; /* a person's name at this machine */
    struct slice host;
    struct slice via;    /* "cli", "signal" … */
    struct slice reason; /* what he says that it is for; may be empty */
    uint32_t uid;        /* as the kernel says */
};

struct change {
    char id[CHANGE_ID_BYTES];
    const struct change_by *by;
    uint64_t wall_ns;
    struct slice action, target, result;
    struct slice error, before, after; /* JSON */
};

void change_make_id(char id[CHANGE_ID_BYTES], uint64_t wall_ns);
/* Appends one JSON object. */
void change_write(const struct change *c, struct buf *out);
/* Of such an object; false: it is none, or has no id. */
bool change_read_id(struct slice json, uint8_t id[UUID_BYTES]);

#endif
