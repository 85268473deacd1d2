/*
 * What policies ask of the process that they run in: calls to other services, counters, a cache, metrics. Given by the
 * owner of an evaluation as a struct of functions, so that a worker, the test kit and the checker can each be asked.
 *
 *     static const struct policy_host host = {.http_start = on_start, .http_cancel = on_cancel, …};
 *     struct policy_call how = {.phase = PHASE_REQUEST, .host = &host, .host_arg = flow, .on_ready = wake, .arg = job};
 *     struct policy_eval *eval = policy_begin(set, x, &how);
 *     … POLICY_WAITING …                                    // on_start(flow, &request, ticket) came meanwhile
 *     policy_http_done(ticket, &reply);                     // from wherever the answer came: on_ready(job) follows
 *
 * A ticket is good for one answer, which may come at once, inside the call that asks. One whose evaluation was
 * cancelled, stopped or has ended is not known any more, and what comes for it is dropped: no pointer into an
 * evaluation ever leaves this floor.
 */
#ifndef MOONGATE_LUA_HOST_H
#define MOONGATE_LUA_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "exchange/exchange.h"
#include "exchange/settings.h"
#include "store/counters/counters.h"

struct cache;
struct memo;

/* A command of the fleet's Redis is such a call too: method "REDIS", URL "redis:get", "redis:set", "redis:incr" or
 * "redis:delete", body a JSON list of what it is about (scripts/services/redis.lua): key; key, text, milliseconds; key,
 * what is added, milliseconds; key. It is answered with status 200 and a text, 404 when there is no such key, 500 and
 * what Redis said. */
/* All is borrowed until the ticket's end: its answer, or http_cancel(). */
struct policy_http_request {
    struct slice method, url, body;
    const struct pair *headers;
    size_t header_count;
    uint32_t timeout_ms;
    size_t answer_bytes_max;
    const struct egress *egress; /* NULL: there is no moongate.lua to ask */
    bool has_secret;             /* send egress->secret along; policies name it and never see it */
};

/* Copied. */
struct policy_http_reply {
    const char *error; /* "timeout", "refused", "closed", "limit"; NULL: an answer came */
    int status;
    const struct pair *headers;
    size_t header_count;
    struct slice body;
};

enum policy_metric_kind { POLICY_COUNTER, POLICY_HISTOGRAM };

struct policy_metric {
    enum policy_metric_kind kind;
    struct slice name; /* without the gateway's prefix */
    const struct pair *labels;
    size_t label_count;
    double value; /* of a counter what it grows by, of a histogram seconds */
};

/* Every function may be NULL: that service is not to be had. None may call back into the evaluation. */
struct policy_host {
    /* A call that cannot be made is answered as well, with an error. Returns what http_cancel() takes. */
    void *(*http_start)(void *arg, const struct policy_http_request *request, uint64_t ticket);
    /* Nothing comes for its ticket any more. Not called after policy_http_done(). */
    void (*http_cancel)(void *arg, void *call);
    void (*metric)(void *arg, const struct policy_metric *metric);
    void (*log)(void *arg, const char *level, struct slice place, struct slice text);
    struct cache *(*cache)(void *arg);
    /* Of texts in which nothing was found (wire/quiet.h). NULL, it or its answer: all are scanned. */
    struct memo *(*quiet)(void *arg);
    /* COUNTERS_ADMIT or COUNTERS_PEEK, answered by policy_counters_done(), inside this call or later; an answer that
     * says why there is none is one too. The question is borrowed until then, or until counters_cancel(). */
    void (*counters)(void *arg, const struct counters_question *question, uint64_t ticket);
    /* Nobody waits for the ticket any more. What its admission took, or takes yet, is for the counters to release. */
    void (*counters_cancel)(void *arg, uint64_t ticket);
    /* Tells somebody, in its own time; nothing comes back. */
    void (*notify)(void *arg, const struct counters_notice *notice);
};

/* The answer to a ticket, once; unknown tickets are welcome. Where the evaluation is not in the middle of a step, its
 * on_ready comes before this returns. */
void policy_http_done(uint64_t ticket, const struct policy_http_reply *reply);
/* The same. True: it was heard, and what it took is a hold of the exchange (exchange/hold.h), for its owner to close.
 * False: nobody waits for it, and an admission that was granted is for the counters to release. */
bool policy_counters_done(uint64_t ticket, const struct counters_answer *answer);
/* Tickets that are open in this process: 0 when nothing waits. */
size_t policy_tickets_open(void);

#endif
