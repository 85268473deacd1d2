/*
 * Asks the counters that a fleet shares whose a notice of a budget is, so that of all gateways one gives it out: the
 * first that claims it. One that claims again, also after its death, is told the same.
 *
 *     struct claiming *c = claiming_new(redis, &events, arg);
 *     if (!claiming_ask(c, epoch, source, &claim, seq)) …       // nobody takes it now; else on_claimed, once
 *     claiming_free(c);                                         // when there is no counters_redis any more
 */
#ifndef MOONGATE_LEDGER_SESSION_CLAIMING_H
#define MOONGATE_LEDGER_SESSION_CLAIMING_H

#include <stdbool.h>
#include <stdint.h>

#include "ledger/alerts.h"
#include "store/counters/redis.h"

struct claiming;

struct claiming_events {
    void (*on_claimed)(void *arg, uint64_t seq, enum alerts_whose whose);
};

/* All is borrowed until claiming_free(). */
struct claiming *claiming_new(struct counters_redis *redis, const struct claiming_events *events, void *arg);
void claiming_free(struct claiming *c); /* NULL is welcome */
/* seq: what it is known by to who asks. */
bool claiming_ask(struct claiming *c, const char *epoch, const char *source, const struct counters_claim *claim,
                  uint64_t seq);

#endif
