#include "ledger/session/bulletin.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "store/counters/post.h"

#define DOUBTS 4u
/* Both tell under the ledger's own name, of which the greater sum stands. */
#define COPIED                                                                                                         \
    "another gateway works on a copy of this one's ledger, and of what the two spend only the greater sum counts: "   \
    "move ledger.db away from one of them"

void bulletin_init(struct bulletin *b, struct counters_post *post, struct stats *stats)
{
    *b = (struct bulletin){.post = post, .stats = stats};
    b->up = stats_series(stats, STATS_REDIS_UP, NULL);
    b->losses = stats_series(stats, STATS_REDIS_LOSSES, NULL);
    b->zone = stats_series(stats, STATS_REDIS_ZONE, NULL);
    b->fenced = stats_series(stats, STATS_REDIS_FENCED, NULL);
    atomic_store(&post->is_used, 1);
}

void bulletin_show(struct bulletin *b, const char *session, const char *epoch, uint32_t gateways)
{
    b->gateways = gateways;
    counters_post_show(b->post, session, epoch, gateways);
    if (!epoch[0]) stats_set(b->stats, b->up, 0);
}

/* What was on its way when a gateway was killed may come late, once. */
void bulletin_copied(struct bulletin *b, bool is_copied)
{
    if (is_copied && b->doubts < 2 * DOUBTS) b->doubts += 2;
    else if (!is_copied && b->doubts) b->doubts--;
}

static void set_trouble(struct bulletin *b, const char *why, bool is_zone)
{
    snprintf(b->trouble, sizeof b->trouble, "%s", why);
    counters_post_fail(b->post, why);
    stats_set(b->stats, b->up, !why[0]);
    stats_set(b->stats, b->zone, is_zone);
}

void bulletin_trouble(struct bulletin *b, const char *why)
{
    if (!why[0] && b->doubts >= DOUBTS) why = COPIED;
    bool was_well = !b->trouble[0], is_well = !why[0];
    if (!is_well && was_well)
        log_event(LOG_WARN, "redis_failing", "limits and budgets are not shared with other gateways: %s", why);
    if (is_well && !was_well)
        log_event(LOG_INFO, "redis_answers", "limits and budgets are shared again, by %u gateways", b->gateways);
    set_trouble(b, why, false);
}

void bulletin_zone(struct bulletin *b, const char *own, const char *others)
{
    char why[FAULT_TEXT_BYTES];
    snprintf(why, sizeof why,
             "billing.timezone is %s here and %s in the gateways that count together, whose days and months begin at "
             "other hours: write the same zone in moongate.lua and restart, or stop those gateways",
             own, others);
    if (strcmp(why, b->trouble) != 0)
        log_event(LOG_ERROR, "billing_zone_differs", "limits and budgets are not shared with other gateways: %s", why);
    set_trouble(b, why, true);
}

void bulletin_lost(struct bulletin *b, const char *why)
{
    log_event(LOG_WARN, "redis_lost", "limits and budgets are told to Redis anew: %s", why);
    stats_add(b->stats, b->losses, 1);
}

void bulletin_cleared(struct bulletin *b, const char *session, bool is_own, uint64_t returned)
{
    if (!is_own) stats_add(b->stats, b->fenced, 1);
    if (is_own && !returned) return;
    log_event(LOG_WARN, "session_cleared",
              "a session of %s gateway that ended without a word is cleared away, with what %llu requests had taken of "
              "limits and budgets: %s",
              is_own ? "this" : "another", (unsigned long long)returned, session);
}
