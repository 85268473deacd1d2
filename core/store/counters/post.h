/*
 * Where a gateway counts in the Redis of its fleet (store/counters/script.h), for all of its processes: in memory that
 * they share. The ledger process, whose session it is, shows it; whoever asks the counters looks.
 *
 *     counters_post_show(post, session, epoch, gateways);    // the ledger process; epoch "": not to be asked yet
 *     counters_post_fail(post, "10.0.0.7:6379: …");          // what is wrong, for people; "": nothing
 *     if (counters_post_version(post) != seen) seen = counters_post_read(post, &view);
 *
 * Zeroed memory is a gateway without a place. The session outlives the process that began it: the next one goes on
 * with it.
 */
#ifndef MOONGATE_STORE_COUNTERS_POST_H
#define MOONGATE_STORE_COUNTERS_POST_H

#include "base/shared_text.h"
#include "store/counters/script.h"

struct counters_post {
    _Atomic uint64_t version; /* of place and gateways: another after each change */
    _Atomic uint32_t gateways;
    _Atomic uint32_t is_used; /* there is a Redis to be asked */
    struct shared_text place; /* "session epoch" */
    struct shared_text why;
};

struct counters_post_view {
    char session[COUNTERS_NAME_BYTES], epoch[COUNTERS_NAME_BYTES]; /* "": none */
    uint32_t gateways; /* that live, as was heard last; 0: never */
};

void counters_post_show(struct counters_post *post, const char *session, const char *epoch, uint32_t gateways);
void counters_post_fail(struct counters_post *post, const char *why);
uint64_t counters_post_version(const struct counters_post *post);
/* The version of what was read. */
uint64_t counters_post_read(const struct counters_post *post, struct counters_post_view *view);

#endif
