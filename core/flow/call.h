/*
 * One call to a provider while it lasts: the connection to it, its answer's relay, and the client's side of both.
 *
 *     struct call *call = call_new(job, provider, dialect);      // job->call, instead of an earlier one
 *     call->fetch = …; call->relay = …;
 *     call_stop(call);      // nothing more comes of it; what it told can still be asked
 *     call_free(call);
 *
 * What the call came to is the exchange's attempt (exchange/attempt.h); this is only what making it needs. Private to
 * core/flow.
 */
#ifndef MOONGATE_FLOW_CALL_H
#define MOONGATE_FLOW_CALL_H

#include "flow/job.h"
#include "flow/relay/relay.h"
#include "net/fetch.h"

struct call {
    struct job *job;
    const struct provider *provider;
    const struct dialect *dialect; /* the provider's */
    struct fetch *fetch;           /* NULL once its answer is in, or it was cancelled */
    struct relay *relay;           /* NULL before the provider's head */
    const struct vocabulary *vocabulary; /* the answer is counted in it; NULL: it says nothing that is counted */
    struct conn_header *headers;   /* the provider's that may pass, and ours, with room for one more; in `passing` */
    size_t header_count;
    struct slice token;    /* that it goes out with instead of its account's key; wiped with the call; empty: none */
    uint64_t token_number; /* … in store/access_tokens.h */
    void (*on_token)(struct job *job, const struct fault *why); /* who waits for it (flow/access_token.h) … */
    uint64_t token_until_ns;                                    /* … at most until then */
    struct slice *secrets; /* the account's, which its answer may repeat; in the exchange's arena */
    size_t secret_count;
    struct tool_names tool_names; /* that the caller has otherwise than this provider; in the exchange's arena */
    struct buf crossed;   /* the body in another dialect than the caller's (flow/crossing.h), or made to fit its
                             server (flow/fitted.h), until it is sent */
    struct slice *form; /* the pieces of a form that was edited; in `passing`; NULL: the body is none */
    size_t form_count;
    struct arena passing; /* what is needed no longer than until the request is sent and the answer's head is out */
    bool asks_usage; /* we asked for the usage chunk, the client did not: it is taken out again */
    bool is_paused;  /* the client or a policy holds the provider back */
    bool is_drained; /* the client is gone, and the answer is read on */
    bool is_failing; /* its failure's body is waited for, and then another target is asked (flow/earlier.h) */
    bool keeps_last, has_last; /* of bytes without events: the last one waits for the next, or for the record … */
    char last;                 /* … which it is */
    uint64_t last_write_ns;  /* as the loop's clock had it when bytes were last forwarded */
    /* is_failing: for its body; keep-alive comments; behind the end marker, for the end; is_drained: for all of it */
    struct loop_timer timer;
    relay_word_fn then;      /* who waits for the policies' word */
    void *then_arg;
};

/* Instead of the job's call so far, which goes. */
struct call *call_new(struct job *job, const struct provider *provider, const struct dialect *dialect);
/* A copy of it. Its answer may repeat it, as any secret. */
void call_keep_token(struct call *call, struct slice token, uint64_t number);
/* Cancels the fetch, and nothing more is relayed. */
void call_stop(struct call *call);
void call_free(struct call *call); /* NULL is welcome */
/* The fetch is over, or is cancelled: whether the provider may have the request is noted. */
void call_drop_fetch(struct call *call);

#endif
