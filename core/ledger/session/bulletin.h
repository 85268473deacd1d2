/*
 * What the ledger process says of its gateway's session in a fleet's counters: to the other processes of the gateway
 * (store/counters/post.h), in the log and in metrics.
 *
 *     bulletin_init(&b, post, stats);
 *     bulletin_show(&b, session, epoch, gateways);
 *     bulletin_trouble(&b, "10.0.0.7:6379: …");     // until it is told "" or something else
 *
 * A trouble is logged when it begins and when it is over.
 */
#ifndef MOONGATE_LEDGER_SESSION_BULLETIN_H
#define MOONGATE_LEDGER_SESSION_BULLETIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/stats.h"

struct counters_post;

struct bulletin {
    struct counters_post *post;
    struct stats *stats;
    stats_handle up, losses, fenced, zone;
    uint32_t gateways, doubts;
    char trouble[FAULT_TEXT_BYTES];
};

/* Both are borrowed. */
void bulletin_init(struct bulletin *b, struct counters_post *post, struct stats *stats);
/* epoch "": nobody is to ask yet. */
void bulletin_show(struct bulletin *b, const char *session, const char *epoch, uint32_t gateways);
/* At each beat: whether another gateway tells the sums of a copy of this one's ledger. */
void bulletin_copied(struct bulletin *b, bool is_copied);
/* "": all is well, and counted together, unless its ledger is told by another, too. Copied. */
void bulletin_trouble(struct bulletin *b, const char *why);
/* Those who count there have another billing zone: this gateway does not, until a trouble is told that is another. */
void bulletin_zone(struct bulletin *b, const char *own, const char *others);
/* All is told to Redis anew. */
void bulletin_lost(struct bulletin *b, const char *why);
/* A session that ended without a word is cleared away, with what so many requests had taken. */
void bulletin_cleared(struct bulletin *b, const char *session, bool is_own, uint64_t returned);

#endif
