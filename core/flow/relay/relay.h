/*
 * One provider's answer on its way to whoever takes it: a chain of stages,
 * of which those that nobody wants are not there.
 *
 *     frame → read → translate → mask → keep → hold → out → sink
 *
 *     struct relay *r = relay_new(&parts, &head);      // the provider's head is in
 *     relay_feed(r, bytes); …                          // body bytes as they come
 *     relay_finish(r, NULL);                           // complete as its framing says; else why it is not
 *     relay_free(r);
 *
 * frame  whole events, a whole answer, or bytes that cannot be read: by what came, never by what was asked for
 * read   parses each event once; usage, finish reasons and texts are told to all that follow; counts tokens
 * translate  into the client's dialect, where that is another one: what is behind it sees what the client will see
 * mask   what policies mask in the answer, and what comes back of the request's (wire/redact_answer.h)
 * keep   texts for the record, where a policy wants them; an event is whole then
 * hold   what may not leave before a policy has seen it
 * out    the first byte commits; how an answer that has begun ends, in the client's dialect
 *
 * The sink hears head() once at most, before the first write(), and end() exactly once, unless the relay is freed
 * before. Any verb may call it; relay_free() inside it is welcome. Nothing that a policy refused has been written.
 * Never retries, never touches a socket: a connection, nobody, a test are all sinks.
 *
 * Bounds: an unfinished event LIMIT_EVENT_BYTES (where a stage must have it whole LIMIT_REDACT_EVENT_BYTES, and
 * LIMIT_RESPONSE_INSPECT_BYTES in a dialect of which one event repeats the answer), a whole answer
 * LIMIT_RESPONSE_INSPECT_BYTES, then bytes go through as they come, and are read on the way in pieces (wire/skim.h), or
 * are refused where policies must read them.
 */
#ifndef MOONGATE_FLOW_RELAY_RELAY_H
#define MOONGATE_FLOW_RELAY_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/slice.h"
#include "exchange/exchange.h"
#include "lua/policy.h"
#include "net/conn.h"
#include "net/loop.h"
#include "wire/dialect.h"
#include "wire/meter.h"
#include "wire/said.h"
#include "wire/translate/dropped.h"
#include "wire/translate/tool_names.h"

struct relay;

/* The provider's head, as far as it decides; the sink hears it as translated. Copied; what it points to outlives the
 * relay. */
struct relay_head {
    int status;
    struct slice content_type, content_encoding;
    struct slice error_type; /* Amazon's name for what went wrong (wire/exceptions.h); empty: it says none */
    uint32_t retry_after_s;  /* for the sink: when to come again, as the body of a translated error says; 0: unsaid */
    int64_t input_tokens, output_tokens; /* as Amazon's head of a whole answer tells them; 0: it does not */
};

enum relay_how {
    RELAY_SENT,     /* all that is to be said was written */
    RELAY_UNSENT,   /* nothing was written: another answer may take its place */
    RELAY_BROKEN,   /* in the middle of bytes that nothing can be told behind: only a broken connection says so */
    RELAY_DETACHED, /* nobody was listening; what could be read is read */
};

struct relay_end {
    enum relay_how how;
    enum exchange_outcome outcome;
    const struct fault *why;       /* NULL: it is complete, or refused */
    const struct verdict *refusal; /* a policy's VERDICT_DENY, or VERDICT_FAULT; NULL: none. Valid with the exchange */
};

struct relay_sink {
    /* The commit point. length: of the body, or CONN_STREAM. */
    void (*head)(void *arg, const struct relay_head *head, int64_t length);
    void (*write)(void *arg, struct slice bytes);
    void (*end)(void *arg, const struct relay_end *end);
    /* Of a stream of events: what is written from now on ends it, beginning with its end marker or an error event; once
     * at most, before the head where nothing was written. May be left out. */
    void (*tail)(void *arg);
};

/* The policies' word; borrowed for the call. */
typedef void (*relay_word_fn)(void *arg, const struct verdict *word);

/* Which hooks there are, and who asks them. */
struct relay_hooks {
    bool has_delta, has_response;
    bool buffers; /* a stream waits for on_response whole */
    /* One question at a time; then(), maybe before this returns, unless it was cancelled.
     * how->delta is valid until then. */
    void (*ask)(void *arg, const struct policy_call *how, relay_word_fn then, void *then_arg);
    void (*cancel)(void *arg);
    void *arg;
};

/* Everything is borrowed until relay_free() has returned. */
struct relay_parts {
    struct loop *loop;
    struct exchange *x;                  /* response.text, .inspect_errors and its attempt are kept up to date */
    const struct dialect *provider;      /* reads what came */
    const struct dialect *client;        /* writes what the client is told */
    struct said_reader *reader;          /* shared by all relays of a loop: nothing is kept in it between two feeds */
    const struct vocabulary *vocabulary; /* counts the output in it; NULL: this answer says nothing that is counted */
    struct redact *redact;               /* NULL: nothing is masked or restored */
    const struct slice *secrets;         /* taken out of all that leaves (wire/conceal.h): the account's key … */
    size_t secret_count;
    const struct tool_names *tool_names; /* that the client calls otherwise than the provider; NULL: none */
    bool has_another;                    /* another target may answer, as long as nothing has left */
    bool drops_usage;                    /* a chunk with usage alone was asked for by the gateway, not by the client */
    /* Hears each event, and a whole answer, as the provider says it; what is too large to be kept in pieces. NULL:
     * nobody does. */
    void (*on_said)(void *arg, const struct said *said);
    /* An answer of status 200 tells that the provider has failed, or that its limits are reached. NULL: nobody hears
     * it. */
    void (*on_failure)(void *arg, bool is_limited);
    void *on_said_arg; /* of both */
    struct relay_hooks hooks;
    const struct relay_sink *sink;
    void *sink_arg;
};

/* For parts.redact: what of the exchange is masked in an answer, or comes back in it; NULL: nothing.
 * Embeddings are numbers. */
struct redact *relay_redact(const struct exchange *x);

struct relay *relay_new(const struct relay_parts *parts, const struct relay_head *head);
/* After the end nothing more is taken in, and nothing is said. */
void relay_feed(struct relay *r, struct slice bytes);
/* NULL: complete as its framing says. The end may come later, when policies have spoken. */
void relay_finish(struct relay *r, const struct fault *why);
/* Ends an answer from the gateway's side: with the client's dialect's error event, or as RELAY_BROKEN where none can be
 * told; RELAY_UNSENT when nothing was written. */
void relay_cut(struct relay *r, const struct fault *why, enum exchange_outcome outcome);
/* The same with a denial, as a policy's: its words go to the client. Copied. */
void relay_refuse(struct relay *r, const struct verdict *word);
/* The client is gone: from now on the answer is only read. The end will be RELAY_DETACHED. */
void relay_detach(struct relay *r);
/* So much time has passed that what waits for more text is asked about now: for clocks other than the loop's. */
void relay_pass_time(struct relay *r);
/* What waits inside for a reason that ends by itself, and so must hold the provider back. */
size_t relay_held_bytes(const struct relay *r);
/* A comment of one's own may be written to the sink's connection: no event is out, or in, in part, and the end marker
 * is not in either. */
bool relay_is_at_rest(const struct relay *r);
bool relay_is_over(const struct relay *r);
/* Nothing more comes of it, its end neither; relay_report() is good still. */
void relay_stop(struct relay *r);
/* All that it left; from inside its own callbacks too. NULL is welcome. */
void relay_free(struct relay *r);

/* What the answer has told so far; the pointers are valid as long as the relay. */
struct relay_report {
    const struct usage *usage; /* as the provider reported it */
    const char *finish_reason;
    struct meter_total counted;
    uint64_t unread_bytes;   /* nothing could be learnt of them: a coding hides them, or another dialect */
    bool is_stream;          /* it came as events */
    bool is_list;            /* … and leaves as a JSON array: no comment may stand in it */
    bool has_error;          /* the provider said so in it */
    bool is_cut;             /* a stream that did not come to its end */
    bool is_judged;          /* on_response has spoken */
    bool is_inside;          /* an event is out in part */
    const struct dropped *dropped; /* what the client's dialect has no place for; NULL: nothing */
};
struct relay_report relay_report(const struct relay *r);
/* Of the counted, what nothing to come can change: cheap enough to be asked after every piece. */
uint64_t relay_settled_tokens(const struct relay *r);

#endif
