/*
 * When what workers have of a fleet's registry was last known to be all there is, in memory that the processes of a
 * gateway share. Somebody may have revoked something at another gateway: what has not been confirmed for a while is not
 * to be gone by.
 *
 *     confirmed_begin(c);                                         // the supervisor, where the registry is a fleet's
 *     confirmed_hold(c, epoch, revision, began_ns);               // … when it has handed workers their sections
 *     confirmed_see(c, &(struct confirmed_seen){…});              // who asks the database: that is there now
 *     if (confirmed_is_stale(c, now_ns, max_stale_ms)) …          // a worker, at each request
 *
 * Zeroed memory, and NULL: the registry is this gateway's own, which nobody else changes; it is never stale. Revisions
 * grow within an epoch; another epoch is another registry (store/section/section.h). Moments are monotonic, in ns.
 */
#ifndef MOONGATE_STORE_CONFIRMED_H
#define MOONGATE_STORE_CONFIRMED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct confirmed {
    _Atomic uint32_t is_shared;
    _Atomic uint64_t epoch, revision; /* of what workers have; revision 0: being written */
    _Atomic uint64_t at_ns;           /* when that was all there was; 0: never yet */
    _Atomic int64_t ahead_ms, late_ms; /* see struct confirmed_seen */
};

/* What an answer of the database said. */
struct confirmed_seen {
    uint64_t asked_ns;       /* when it was asked */
    uint64_t epoch, revision;
    int64_t ahead_ms; /* how far its clock is ahead of ours, as near as can be told; below 0: behind */
    int64_t late_ms;  /* the same at most: its answer was on its way for a while */
};

void confirmed_begin(struct confirmed *c);
/* read_ns: when the database's reading began that they are of; 0: they are of registry.snap. */
void confirmed_hold(struct confirmed *c, uint64_t epoch, uint64_t revision, uint64_t read_ns);
/* False: workers have not all of it. */
bool confirmed_see(struct confirmed *c, const struct confirmed_seen *seen);

bool confirmed_is_shared(const struct confirmed *c);
bool confirmed_is_stale(const struct confirmed *c, uint64_t now_ns, uint32_t max_stale_ms);
/* How long ago; 0 where it is not shared. Where it never was: UINT64_MAX. */
uint64_t confirmed_age_ns(const struct confirmed *c, uint64_t now_ns);
/* By so much grants end earlier than our clock says: they end early, never late. Never below 0. */
int64_t confirmed_early_ms(const struct confirmed *c);
/* Of the last answer, in either direction. */
int64_t confirmed_ahead_ms(const struct confirmed *c);

#endif
