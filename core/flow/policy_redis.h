/*
 * Commands of the fleet's Redis that policies ask for (lua/host.h): one connection for a worker, made for the first of
 * them, apart from that of limits and budgets.
 *
 *     flow->redis = policy_redis_new(loop, url);            // nothing is connected yet
 *     call = policy_redis_start(redis, &request, ticket);   // NULL: it was answered at once
 *     policy_redis_forget(redis, call);                     // nobody waits for its ticket any more
 *     policy_redis_free(redis);                             // tickets without an answer are not answered any more
 *
 * Keys begin with what the request says, which scripts/services/redis.lua begins with "mgp:": no key of counters does.
 * Bounds are net/redis.h's; an answer has LIMIT_POLICY_REDIS_BYTES at most.
 */
#ifndef MOONGATE_FLOW_POLICY_REDIS_H
#define MOONGATE_FLOW_POLICY_REDIS_H

#include "lua/host.h"

struct loop;
struct policy_redis;

/* url: borrowed, a secret (net/redis.h). */
struct policy_redis *policy_redis_new(struct loop *loop, const char *url);
void policy_redis_free(struct policy_redis *r); /* NULL is welcome */
void *policy_redis_start(struct policy_redis *r, const struct policy_http_request *request, uint64_t ticket);
/* False: it is no call of this, or was answered. */
bool policy_redis_forget(struct policy_redis *r, const void *call);

#endif
