/*
 * The billing zone in which a gateway's periods begin, beside that of those that count in the same Redis: whoever has
 * another does not count with them (counters/redis/beat.lua).
 *
 *     zone_init(&zone, SLICE("Europe/Berlin"));           // empty: nothing is said of it
 *     … counters_call_beat(&place, source, zone_begin(&zone, is_new, grace_ms), …)
 *     zone_refused(&zone, reply);                         // COUNTERS_REPLY_ZONE; zone.others is theirs then
 *     zone_clear(&zone);
 */
#ifndef MOONGATE_LEDGER_SESSION_ZONE_H
#define MOONGATE_LEDGER_SESSION_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/counters/script.h"

#define ZONE_BYTES 64u /* of another's name, for people; a longer one is cut */

struct zone {
    char *own;
    char others[ZONE_BYTES]; /* "": never heard of another */
    uint64_t heard_ns;       /* … and when it was, last */
};

void zone_init(struct zone *z, struct slice own);
void zone_clear(struct zone *z);
void zone_refused(struct zone *z, const struct redis_reply *reply);
/* How to begin, or go on. Where Redis was emptied, those who had been there before have so long to come back first. */
enum counters_begin zone_begin(const struct zone *z, bool is_new, uint32_t grace_ms);

#endif
