/*
 * The work on one exchange: what each step needs beside the facts in struct exchange. Private to core/flow.
 *
 * A job lives from the request's head until its record is made and its client has the last byte. Whoever ends it calls
 * job_end() exactly once; its memory goes when the current callback has returned. One step is at work at a time, and
 * says how it is stopped:
 *
 *     job->stop = cancel;     // by the step that begins
 *     job_stop(job);          // by whoever ends it: a reply, the end of the job
 */
#ifndef MOONGATE_FLOW_JOB_H
#define MOONGATE_FLOW_JOB_H

#include "base/list.h"
#include "exchange/exchange.h"
#include "flow/flow.h"
#include "flow/intake.h"
#include "flow/objects.h"
#include "flow/recorder.h"
#include "net/conn.h"
#include "net/fetch.h"
#include "store/cache.h"
#include "store/counters/counters.h"
#include "wire/count.h"
#include "wire/said.h"

struct call;
struct earlier;
struct extension;
struct holds;
struct holds_over;
struct job;
struct listing;
struct metrics;

/* Jobs whose tokens are being counted, and what this turn of the loop has spent on that (flow/counting.h). */
struct counting {
    struct list_link jobs; /* that wait for the next turn, the first in front */
    struct loop_timer timer;
    uint64_t turn_ns, spent_ns;
};

struct flow {
    uint64_t behind_since_ns; /* flow_set_behind(), monotonic; 0: it is not */
    struct flow_parts parts;
    struct conn_server *server;
    struct fetch_pool *pool;
    struct metrics *metrics;
    struct recorder *recorder;
    struct notices *notices; /* of budgets */
    struct await *await;     /* … that wait for what is held to be spent */
    struct policy_redis *redis; /* of policies; NULL: moongate.lua names none */
    struct objects *objects; /* that providers keep: whose they are */
    struct holds *holds;     /* what requests have taken from the counters */
    struct intake *intake;   /* what requests hold */
    struct memo *memo;       /* token counts of texts that came before */
    struct memo *quiet;      /* … and in which of them nothing was found (wire/quiet.h); of no use to who counts */
    struct counting counting;
    struct cache *cache; /* of policies; outlives their generations */
    struct said_reader reader; /* of answers, one event at a time */
    struct tokens *tokens;    /* verified ones; emptied when policies or keys change */
    struct list_link waiting; /* jobs whose token's keys are being fetched */
    size_t waiting_count;
    struct list_link probing; /* jobs whose calls are probes of accounts (flow/breaking.h) */
    struct list_link listing; /* lists that wait for the ledger (flow/listing.h) */
    uint64_t listed;          /* the number of the last */
    struct list_link jobs;
    size_t job_count;
    void (*on_job_gone)(struct flow *flow);
    bool is_draining;
    bool is_ledger_failing;          /* as it was last said */
    bool is_leaving;                 /* the last records are waited for no longer */
    struct loop_timer gauge_timer, drain_timer, leave_timer;
    void (*on_drained)(void *arg);
    void *on_drained_arg;
};

typedef void (*answer_fn)(struct job *job, const struct verdict *answer);

/* What the policies are being asked, one thing at a time. */
struct question {
    struct job *job;
    struct policy_eval *eval; /* NULL: nothing */
    answer_fn then;
};

/* For an issuer's keys, then for the next turn of the loop, while the tokens are counted. */
struct waiting {
    struct list_link link;         /* in one of the flow's lists: while keys are fetched, while tokens are counted */
    bool has_waited;               /* for keys: once is enough */
    void (*identified)(struct job *job); /* when it is known who asks */
    bool (*step)(struct job *job); /* of the work that is done in turns; true: it is done */
    void (*then)(struct job *job); /* … when the tokens are counted */
};

typedef void (*reserve_fn)(struct job *job, const struct verdict *no);

/* What is held for the attempt under way (flow/reserve.h). */
struct reserved {
    struct counters_totals paid; /* what those before came to */
    uint64_t input_tokens;
    uint64_t output_tokens; /* so much of an answer is held for */
    uint64_t said;          /* as it was counted last */
    uint64_t again_at;      /* after a refusal: when so many tokens were said a budget is asked again */
    bool is_over;           /* a budget had no room, and the trace says so */

    reserve_fn then;               /* before the call: who waits for the counters' word */
    struct counters_totals wanted; /* … on this */
    uint64_t asked;                /* of a stream: a budget is asked to hold so much of it; 0: none is */
    uint32_t part;                 /* … which is so much more than before */
    const struct holds_over *over; /* … and had no room when it was asked last; NULL: it had, or was not heard */
};

/* Of the breakers of its targets' accounts (flow/breaking.h). */
struct breaking {
    uint32_t tried, passed;          /* targets that were chosen; that another came before: a bit each */
    const struct provider *provider; /* of the one that was chosen last; the job's settings' */
    uint64_t probe;                  /* the call is its account's probe (store/breaker.h); 0: it is none */
    struct list_link link;           /* of the flow's jobs that are probes */
    bool is_failure;                 /* that call has failed, and its breaker knows */
};

/* Of the objects that it names, and makes (flow/owning.h). */
struct owning {
    uint64_t account; /* that has those it names (owned_account()); 0: it names none */
    bool listens;     /* its answer may make some */
    struct objects_question *question; /* in the exchange's arena; NULL: none was asked */
    void (*then)(struct job *job);
    struct objects_wait wait;
};

/* How a job comes to its end. */
struct ending {
    enum exchange_outcome outcome; /* what it will be once the client has the last byte */
    bool is_held;                  /* the client's last bytes wait for the record */
    bool is_over;                  /* job_end() was called: on_done may still be at work, the client be waiting */
    struct recorder_wait record;
};

struct job {
    struct list_link link;
    struct flow *flow;
    struct exchange *x;
    struct conn *conn;           /* NULL once the client is gone or has its answer */
    struct settings *settings;   /* the snapshot that admitted the request */
    struct policy_set *policies; /* the generation that admitted it */
    struct slice allow;          /* methods of the path, for 405 */
    struct intake_hold hold;     /* of its body */
    size_t body_bytes;           /* as the head announces it; 0: it does not */
    bool is_admitted;            /* the credential was looked at, and the body is wanted */
    bool is_whole;               /* the body is here, or there is none */
    bool is_unrecorded;          /* health checks and the like: neither counted nor recorded */
    struct ending end;
    struct owning owning;
    struct reserved reserved;
    struct breaking breaking;
    uint32_t switched; /* targets whose accounts are switched off, as the trace says: a bit each (flow/switched.h) */
    struct extension *extension; /* of what is held (flow/holds.h); NULL: none was asked for */
    void (*stop)(struct job *job); /* ends what is under way; NULL: nothing is */
    struct loop_timer timer; /* of the step at work, for its next turn or its patience */
    struct waiting wait;
    struct question question;
    struct batched *batched; /* of a file for a batch, in the exchange's arena; NULL: it is none (flow/batched.h) */
    struct earlier *earlier; /* what the last call came to that another target was to make good; NULL: none */
    struct listing *listing; /* that waits for the ledger, in the exchange's arena; NULL: none */
    struct call *call; /* to a provider, under way or the last; NULL: none was made (flow/call.h) */
};

/* Whatever step is at work gives up; nothing more comes of it. */
static inline void job_stop(struct job *job)
{
    void (*stop)(struct job *) = job->stop;
    job->stop = NULL;
    if (stop) stop(job);
}

/* receive: a request's head, body and end, or the edge's refusal. */
extern const struct conn_events receive_events;

#endif
