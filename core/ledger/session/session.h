/*
 * The gateway's session in the counters that its fleet shares (store/counters/script.h): begun, kept alive, begun anew
 * when Redis has lost it; all that the ledger knows is told there before anybody of this gateway asks, and each commit
 * from then on. Where the gateway counts it shows to its other processes (store/counters/post.h).
 *
 *     struct session *s = session_new(loop, stats, &options, &events, arg);   // NULL: no Redis is to be asked
 *     session_open(s, ledger);
 *     session_committed(s);                 // entries were committed
 *     session_claim(s);                     // workers have died, and all that they sent is committed
 *     session_claim_notice(s, &alert, seq); // then on_claimed: whose it is to give it out
 *     session_leave(s, on_left, arg);       // the gateway ends: nobody has to wait for its lease
 *     session_free(s);
 *
 * Whose billing zone is another than that of the gateways that count there already is not let in: its days and months
 * begin at other hours, so that each budget would be spent twice. It asks again every LIMIT_COUNTERS_BEAT_MS.
 * NULL is welcome, but where a notice is claimed. Sums are absolute: whatever fails or may have been lost, all is told
 * again. A ledger process that takes the place of another goes on with the session that it finds shown. Sessions that
 * this gateway left behind stand in the ledger's file, and are cleared away as soon as its sums are told; those of
 * other gateways when their leases are over.
 */
#ifndef MOONGATE_LEDGER_SESSION_SESSION_H
#define MOONGATE_LEDGER_SESSION_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/stats.h"
#include "ledger/alerts.h"

struct breakers;
struct counters_post;
struct ledger;
struct loop;
struct session;

struct session_options {
    struct slice url;     /* a secret; empty: there is none */
    struct slice gateway; /* its name, for people */
    struct slice zone;    /* its billing zone; empty: nothing is said of it */
    uint32_t lease_ms, grace_ms; /* 0: LIMIT_COUNTERS_LEASE_MS, LIMIT_COUNTERS_GRACE_MS */
    struct counters_post *post; /* borrowed */
    struct breakers *breakers;  /* borrowed: of provider accounts; NULL: there are none */
};

struct session_events {
    /* A worker of that owner lives, or what it sent may not be on the disk yet. */
    bool (*is_claimed)(void *arg, uint64_t owner);
    /* No other process writes to the ledger: what this gateway has left behind is over. */
    bool (*is_alone)(void *arg);
    void (*on_claimed)(void *arg, uint64_t seq, enum alerts_whose whose);
};

/* `stats` and `events` are borrowed until session_free(). */
struct session *session_new(struct loop *loop, struct stats *stats, const struct session_options *options,
                            const struct session_events *events, void *arg);
void session_free(struct session *s);
/* From the next beat on. */
void session_configure(struct session *s, uint32_t lease_ms);
/* Borrowed until session_free(). */
void session_open(struct session *s, struct ledger *ledger);
void session_committed(struct session *s);
void session_claim(struct session *s);
/* For alerts_claim_by(); not of NULL. */
bool session_claim_notice(struct session *s, const struct ledger_alert *alert, uint64_t seq);
/* `fn` once, perhaps from inside: what is held is given back, or LIMIT_COUNTERS_LEAVE_MS are over. */
void session_leave(struct session *s, void (*fn)(void *arg), void *arg);

#endif
