/*
 * The work on one exchange: what each step needs beside the facts in struct exchange. Private to core/flow.
 *
 * A job lives from the request's head to its record. Whoever ends it calls job_end() exactly once; its memory goes when
 * the current callback has returned. Each step's entry is here, in the order in which a request meets them.
 */
#ifndef MOONGATE_FLOW_JOB_H
#define MOONGATE_FLOW_JOB_H

#include "base/list.h"
#include "exchange/exchange.h"
#include "flow/flow.h"
#include "net/conn.h"
#include "net/fetch.h"
#include "store/cache.h"
#include "wire/count.h"
#include "wire/dialect.h"
#include "wire/meter.h"
#include "wire/sse.h"

struct audit;
struct drained;
struct metrics;

struct flow {
    struct flow_parts parts;
    struct conn_server *server;
    struct fetch_pool *pool;
    struct metrics *metrics;
    struct audit *audit;
    struct count_memo *memo; /* token counts of texts that came before */
    struct cache *cache; /* of policies; outlives their generations */
    struct tokens *tokens;    /* verified ones; emptied when policies or keys change */
    struct list_link waiting; /* jobs whose token's keys are being fetched */
    size_t waiting_count;
    struct list_link jobs;
    size_t job_count;
    bool is_draining;
    struct loop_timer gauge_timer, drain_timer;
    void (*on_drained)(void *arg);
    void *on_drained_arg;
};

/* How an answer in flight reaches the client. */
enum relay_mode {
    RELAY_NONE,     /* the provider's head is not in yet */
    RELAY_SNIFFING, /* a stream was asked for and the content type does not say: the first byte decides */
    RELAY_WHOLE,    /* kept until complete, then sent in one piece: a failure in the middle is still a clean 502 */
    RELAY_EVENTS,   /* server-sent events, whole events at once */
    RELAY_RAW,      /* too large to keep, or compressed although not asked: bytes as they come, uninspected */
};

struct job;
typedef void (*answer_fn)(struct job *job, const struct verdict *answer);

/* What the policies are being asked, one thing at a time. */
struct question {
    struct job *job;
    struct policy_eval *eval; /* NULL: nothing */
    struct loop_timer timer;
    answer_fn then;
};

/* Of an answer that policies judge on its way. */
struct judging {
    struct buf held;   /* whole events that may not leave yet */
    struct buf text;   /* what they say, as far as nobody was asked about it */
    struct buf judged; /* the text that on_delta is being asked about */
    size_t asked;      /* bytes of held that wait for that answer only */
    bool is_asking, has_ended;
    struct fault end_why; /* has_ended: FAULT_NONE when the provider's part is complete */
    struct loop_timer timer;
};

struct job {
    struct list_link link;
    struct flow *flow;
    struct exchange *x;
    struct conn *conn;           /* NULL once the client is gone or has its answer */
    struct settings *settings;   /* the snapshot that admitted the request */
    struct policy_set *policies; /* the generation that admitted it */
    struct slice allow;          /* methods of the path, for 405 */
    bool is_unrecorded;          /* health checks and the like: neither counted nor audited */
    bool is_ended;               /* for its client: on_done may still be at work */
    enum exchange_outcome outcome; /* what it will be once the client has the last byte */

    struct list_link waiting; /* in the flow's list while an issuer's keys are being fetched */
    struct loop_timer wait_timer; /* then, while the tokens are counted, for the next turn */
    bool has_waited; /* once is enough */

    struct question question;

    struct fetch *fetch; /* while CALLING or STREAMING */
    const struct provider *provider;
    const struct dialect *dialect;
    bool asked_usage; /* we asked for the usage chunk, the client did not: it is taken out again */

    enum relay_mode mode;
    struct conn_header *reply_headers; /* the provider's that may pass, and ours; in the arena */
    size_t reply_header_count;
    struct buf answer;          /* RELAY_SNIFFING, RELAY_WHOLE: the body so far; RELAY_EVENTS: an unended event */
    struct sse_parser *sse;     /* RELAY_EVENTS */
    struct dialect_stream told; /* what the answer has said so far */
    struct redact_stream *redacting; /* what waits until it is known whether it must be masked; NULL: nothing yet */
    struct sse_parser *redacted;     /* of its events, where policies read them */
    struct meter *meter;        /* counts what the answer says; NULL: it says nothing (embeddings) */
    struct drained *drained;    /* the client is gone, and the answer is read on; NULL: usually */
    struct judging *judging;    /* NULL: nothing waits for a policy's word */
    bool is_response_judged;    /* on_response has spoken */
    bool is_refused;            /* by a policy: nothing more of it is looked at */
    bool is_encoded;            /* it has a content coding, so it cannot be read */
    bool is_paused;
    uint64_t last_write_ns; /* as the loop's clock had it when bytes were last forwarded */
    struct loop_timer keepalive;
};

/* receive: a request's head, body and end, or the edge's refusal. */
extern const struct conn_events receive_events;

/* identify: the presented credential becomes an identity, or none; goes on with decide(), perhaps later. */
void identify(struct job *job);
/* The keys that it waited for have come, or will not. */
void identify_again(struct job *job);
void identify_cancel(struct job *job);

/* ask: an evaluation of the policies; then(job, answer) when they have answered, which may be before this returns. The
 * answer is borrowed for that call. The caller sets phase, delta, is_sent. */
void ask(struct job *job, struct policy_call how, answer_fn then);
/* Whatever is being asked is not wanted any more. */
void ask_cancel(struct job *job);

/* estimate: counts the request's tokens, a slice a turn; goes on with decide(). */
void estimate(struct job *job);
void estimate_cancel(struct job *job);

/* decide: runs the policies; goes on with call() or a reply. */
void decide(struct job *job);

/* call: sends the request to verdict.targets[index], to a later one when that is not configured. */
void call(struct job *job, size_t index);
bool call_has_next(const struct job *job);
void call_next(struct job *job);
/* The attempt under way is over; later words on it change nothing. */
void call_ended(struct job *job, enum fault_code error);
void call_cancel(struct job *job);

/* account: a call begins: the request's count by its target's rules, and a meter for the answer. */
void account_begin(struct job *job);
/* What the answer has used so far and what that costs, into its attempt: usage, parts, cost, is_billed, finish_reason.
 * May be asked again. */
void account_settle(struct job *job);
/* The same, for good: the attempt is given up for another one. */
void account_close(struct job *job);
/* Of output, as counted so far; what may still change is left out, so that this may be asked after every piece. */
uint64_t account_output_tokens(const struct job *job);

/* drain: the client is gone; true: the answer is read on, and job_end() comes later. */
bool drain_begin(struct job *job);
void drain_head(struct job *job, const struct fetch_head *head);
void drain_data(struct job *job, struct slice data);
void drain_end(struct job *job, const struct fault *why);
void drain_drop(struct job *job);

/* stream: the provider's answer on its way to the client. */
void stream_begin(struct job *job, const struct fetch_head *head);
void stream_data(struct job *job, struct slice data);
void stream_end(struct job *job, const struct fault *why); /* NULL: complete as its framing says */
void stream_drained(struct job *job);                      /* the client took what was waiting */
/* Ends an answer that has begun with the dialect's error event, or by breaking the connection where none can be told.
 */
void stream_cut(struct job *job, const struct fault *why, enum exchange_outcome outcome);
/* Drops what an attempt has left behind, before another and at the end. */
void stream_reset(struct job *job);

/* Which way the answer takes, by its head. */
void stream_choose(struct job *job, const struct fetch_head *head);
/* What an event, or the answer in job->answer, tells of itself; a set of enum dialect_event, whether it could be read. */
unsigned stream_read(struct job *job, const struct sse_event *event);
bool stream_read_whole(struct job *job);
/* One event, as the client will have it. */
void stream_relay(struct job *job, const struct sse_event *event);
/* Bytes to the client; the first commit to this answer. */
void stream_forward(struct job *job, struct slice bytes);
/* The client or a policy held the provider back: reads on when neither does. */
void stream_let_flow(struct job *job);
/* A policy's VERDICT_DENY or VERDICT_FAULT on an answer: an error of its own while nothing has left, else an error event.
 */
void stream_refuse(struct job *job, const struct verdict *answer);
/* What judge.c lets go on. */
void stream_send_whole(struct job *job);
void stream_end_judged(struct job *job, const struct fault *why);

/* redact: masks and restores in the answer. */
bool redact_reads(const struct job *job); /* this answer is to be redacted: one that cannot be read is refused */
void redact_event(struct job *job, const struct sse_event *event); /* stream_relay() follows, maybe later */
void redact_flush(struct job *job);                                /* all that waits goes on */
/* job->answer is complete, and redacted when this returns; false: it was refused. */
bool redact_whole(struct job *job);
void redact_drop(struct job *job);

/* judge: what waits for the policies' word. */
bool judge_reads(const struct job *job); /* some hook looks at answers: one that cannot be read is refused */
bool judge_holds(const struct job *job); /* events of a stream may not leave at once */
/* Reads an event, and holds it where that is wanted; true: forward it. */
bool judge_event(struct job *job, const struct sse_event *event);
bool judge_has(const struct job *job); /* something is held, or is being asked about */
size_t judge_held_bytes(const struct job *job);
/* The provider's part of a held stream is over; stream_end_judged() follows, or a refusal. */
void judge_end(struct job *job, const struct fault *why);
void judge_finish(struct job *job);
/* job->answer is complete. True: send it. Else stream_send_whole() follows, or a refusal. */
bool judge_whole(struct job *job, bool is_readable);
void judge_refuse(struct job *job, const char *text);
void judge_drop(struct job *job);

/* keepalive: comments for clients and proxies that give up on silence. */
void keepalive_begin(struct job *job);

/* settle, record: fixes outcome and usage, lets on_response and on_done have their say, counts, writes the record, frees
 * the job. Exactly once. */
void job_end(struct job *job, enum exchange_outcome outcome);
/* job_end() was called and policies are still at work: cuts them short, and the record is written. */
void job_hurry(struct job *job);

/* flow: a job of this flow is gone. */
void flow_job_gone(struct flow *flow);

#endif
