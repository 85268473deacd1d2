/*
 * Circuit breakers of provider accounts (store/breakers.h) as a fleet sees them: what is open at this gateway is told
 * to the counters that it shares, what is open at enough of the others is shown to its workers.
 *
 *     struct hints *h = hints_new(redis, breakers);    // NULL: there are none
 *     hints_go(h, session);                            // at each beat
 *     hints_free(h);                                   // when there is no counters_redis any more
 *
 * A hint: nobody waits for it, it is good for LIMIT_BREAKER_HINT_MS and told again with each beat, so that without
 * Redis each gateway goes by what it sees itself. Names of accounts are a configuration's: of a-z, 0-9, - and _,
 * LIMIT_LABEL_BYTES at most, LIMIT_PROVIDERS of them.
 */
#ifndef MOONGATE_LEDGER_SESSION_HINTS_H
#define MOONGATE_LEDGER_SESSION_HINTS_H

struct breakers;
struct counters_redis;
struct hints;

/* Both are borrowed until hints_free(). */
struct hints *hints_new(struct counters_redis *redis, struct breakers *breakers);
void hints_free(struct hints *h); /* NULL is welcome */
/* Nothing happens while the answer before is still to come. */
void hints_go(struct hints *h, const char *session);

#endif
