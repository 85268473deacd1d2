/* Inside of counters/redis.h: what is under way, and ends of holds (counters/redis_ends.c), which are said together. */
#ifndef MOONGATE_STORE_COUNTERS_REDIS_INNER_H
#define MOONGATE_STORE_COUNTERS_REDIS_INNER_H

#include "base/list.h"
#include "net/loop.h"
#include "store/counters/redis.h"

#define COUNTERS_ENDS 32u /* said by one call */

/* A question under way, or the end of a hold. */
struct counters_asked {
    struct list_link link;
    struct counters_redis *c;
    const struct counters_question *q; /* NULL: nobody waits for it any more */
    counters_redis_fn fn;
    void *arg;
    uint64_t ticket;
    enum counters_operation operation;
    char hold[COUNTERS_HOLD_BYTES];
    struct arena arena; /* of the call */
    struct counters_call call;
    struct counters_end end; /* no call of its own: it is said together with others … */
    const char *session;     /* … of the same session */
    uint32_t timeout_ms;
    bool is_forgone;   /* a release under way, of a hold that was asked for again behind it: it is not said again … */
    bool owes_release; /* … unless that admission, which this is, took nothing in its place */
};

/* Who is to be told of what. */
struct counters_told {
    const struct counters_question *q; /* NULL: nobody */
    counters_redis_fn fn;
    void *arg;
    uint64_t ticket;
    char hold[COUNTERS_HOLD_BYTES];
};

/* Ends of holds that are said by one call. */
struct counters_ends {
    struct list_link link;
    struct counters_redis *c;
    struct arena arena;
    struct counters_asked *asked[COUNTERS_ENDS];
    struct counters_told told[COUNTERS_ENDS];
    size_t count;
};

struct counters_redis {
    struct loop *loop;
    struct redis *redis;
    const struct redis_script *scripts[COUNTERS_SCRIPTS];
    const struct counters_redis_events *events;
    void *arg;
    char session[COUNTERS_NAME_BYTES], epoch[COUNTERS_NAME_BYTES];
    uint64_t owner, tickets, lost;
    struct list_link waiting, unsaid;
    struct list_link ending; /* to be said in the next turn, or before the next question */
    struct list_link calls;  /* of ends */
    size_t waiting_count, unsaid_count, unsaid_releases, said_releases;
    struct loop_timer again;
    struct loop_work saying;
    struct counters_ends *telling; /* those that somebody is being told of … */
    bool is_freed;                 /* … who may free all of this: its memory goes a little later */
};

void counters_asked_drop(struct counters_asked *asked);
void counters_asked_drop_waiting(struct counters_asked *asked);
const char *counters_redis_error(enum redis_taken taken);

void counters_ends_init(struct counters_redis *c, struct loop *loop);
void counters_ends_clear(struct counters_redis *c);
/* It is said in the next turn, with others, or kept. NULL: somebody will be told. */
const char *counters_ends_add(struct counters_asked *asked);
/* What is to be said in the next turn, now; and what could not be said. */
void counters_ends_say(struct counters_redis *c);
void counters_ends_again(struct counters_redis *c);
/* The hold was asked for again: what was to be said of an earlier try for it is not, or not once more. False: nothing
 * was. */
bool counters_ends_unsay(struct counters_redis *c, const char *hold);
void counters_ends_forget(struct counters_redis *c, uint64_t ticket);

#endif
