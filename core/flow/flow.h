/*
 * One worker's traffic: accepts clients on one listening socket and walks each request through the steps
 *
 *     receive's head → identify → its body → decide → route → call → stream | reply → settle → record
 *
 * each of which is one file beside this one. What is decided comes from the policies, never from here.
 *
 *     struct flow *flow = flow_new(&(struct flow_parts){.loop = loop, .listen_fd = fd, ...});
 *     flow_set_policies(flow, newer);            // requests under way keep the generation that admitted them
 *     flow_drain(flow, 30000, on_drained, arg);  // no new requests; leftovers end with an error event
 *     flow_free(flow);                           // after on_drained or flow_stop()
 */
#ifndef MOONGATE_FLOW_FLOW_H
#define MOONGATE_FLOW_FLOW_H

#include <stdint.h>

#include "base/stats.h"
#include "exchange/settings.h"
#include "lua/policy.h"
#include "net/loop.h"
#include "store/keyring.h"
#include "store/keysets.h"
#include "store/prompts.h"
#include "store/grants.h"
#include "store/people.h"
#include "store/topups.h"

struct breakers;
struct provider_switches;
struct counters_post;
struct counters_shared;
struct flow;
struct access_tokens;
struct confirmed;
struct owned_table;

/* Counters that the gateways of a fleet share, in Redis. */
struct flow_redis {
    char *url;         /* a secret (net/redis.h) */
    uint32_t gateways; /* at least so many, as moongate.lua says; it may say else at any time … */
    uint32_t timeout_ms; /* … and for this an answer is waited for; 0: LIMIT_COUNTERS_REDIS_MS */
    unsigned workers;  /* of this gateway */
    const struct counters_post *post;
};

struct flow_parts {
    struct loop *loop;         /* borrowed, outlives the flow */
    int listen_fd;             /* borrowed; -1: flow_accept_on() comes later */
    struct settings *settings; /* a reference is taken of each of these five */
    struct policy_set *policies;
    struct keyring *keyring;
    struct topups *topups;
    struct prompts *prompts;   /* … NULL: there are none */
    struct grants *grants; /* and of these two, where they are */
    struct people *people;
    struct keysets *keysets; /* borrowed: the keys of tokens' issuers */
    void (*want_keys)(void *arg, struct slice url); /* somebody should fetch them; then flow_keys_came() */
    void *want_keys_arg;
    struct stats *stats; /* borrowed: this worker's segment */
    struct counters_shared *counters; /* borrowed: of limits and budgets; NULL: nobody counts */
    struct breakers *breakers; /* borrowed: of provider accounts; NULL: there are none */
    const struct provider_switches *switches; /* borrowed: which of them are off; NULL: none is */
    const struct confirmed *confirmed; /* borrowed: when the registry was last all there is; NULL: it always is */
    struct access_tokens *access_tokens; /* borrowed: their tokens; NULL: nobody asks for any */
    struct owned_table *owned; /* borrowed: whose the objects are that providers keep */
    const struct flow_redis *redis; /* borrowed: counters that a fleet shares; NULL: it shares none */
    _Atomic uint32_t *records_failing; /* borrowed: 1 while records cannot be written; /readyz is 503 then */
};

struct flow *flow_new(const struct flow_parts *parts);
/* Every exchange must be over: after on_drained or flow_stop(). */
void flow_free(struct flow *flow);

/* New snapshots for requests that come from now on; a reference is taken. */
void flow_set_settings(struct flow *flow, struct settings *settings);
void flow_set_policies(struct flow *flow, struct policy_set *policies);
/* What the registry says. What a key began that was revoked so (struct key_record's ends_requests) ends now: streams
 * with the dialect's error event, unanswered requests with 401. */
void flow_set_registry(struct flow *flow, struct keyring *keyring, struct topups *topups);
/* … of prompts; NULL: there are none. */
void flow_set_prompts(struct flow *flow, struct prompts *prompts);

/* … of who may use what, and of whose sign-ins they are. */
void flow_set_grants(struct flow *flow, struct grants *grants, struct people *people);

/* A section of the registry could not be taken: what is held is of before, from now on (or, false, no more). */
void flow_set_behind(struct flow *flow, bool is_behind);

/* A fresh pipe to the ledger process, which is taken; one of before is left. Records wait for the first. */
void flow_set_ledger(struct flow *flow, int fd);

/* Why its questions do not reach the Redis of its fleet; "" when they do. Borrowed until the next turn of the loop. */
const char *flow_redis_trouble(const struct flow *flow);

/* An attempt to fetch keys has ended: who waited goes on. is_changed: what they verified before counts no more. */
void flow_keys_came(struct flow *flow, bool is_changed);

/* /readyz says 503 from now on while requests are still taken: balancers look elsewhere before the drain begins. */
void flow_unready(struct flow *flow);
/* Stops accepting, closes idle connections, lets exchanges finish for up to grace_ms, then ends what is left: streams
 * with the dialect's error event, unanswered requests with 503. on_drained runs once, from the loop, when none is left
 * and the ledger has all records; for those it is waited LIMIT_LEDGER_LEAVE_MS at most. */
void flow_drain(struct flow *flow, uint32_t grace_ms, void (*on_drained)(void *arg), void *arg);
/* Ends everything now, each exchange with its record. */
void flow_stop(struct flow *flow);

#endif
