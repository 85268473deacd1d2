/*
 * What the request path asks of a provider's dialect: where to send, what an answer said, how to report an error.
 *
 *     const struct dialect *d = dialect_find(provider->kind);            // NULL: unknown kind
 *     struct dialect_stream stream;
 *     dialect_stream_init(&stream, request->choices);
 *     unsigned what = d->inspect_event(&stream, event->name, event->data); // of enum dialect_event
 *     if ((what & DIALECT_USAGE_ONLY) && job->asked_usage) ... leave this event out
 *     ...
 *     if (d->judge_end(&stream) == DIALECT_CUT) d->write_event_error(&out, &error);
 *
 * Inspecting never fails an answer: what cannot be read is said (DIALECT_UNREADABLE, false) for the caller to count,
 * and the bytes are relayed all the same. Nothing here ever writes an end marker. No state but dialect_stream; no
 * memory held.
 */
#ifndef MOONGATE_WIRE_DIALECT_H
#define MOONGATE_WIRE_DIALECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/slice.h"
#include "wire/chat.h"
#include "wire/usage.h"

#define DIALECT_MODEL_BYTES 96
#define DIALECT_REASON_BYTES 32

/* What one event was; 0: nothing of note. */
enum dialect_event {
    DIALECT_UNREADABLE = 1, /* not what this dialect sends; count it, relay it */
    DIALECT_DONE = 2,       /* the end marker */
    DIALECT_USAGE_ONLY = 4, /* carries usage and no choice: may be left out when the client did not ask for it */
    DIALECT_ERROR = 8,      /* an error object in the stream; the client's library raises it */
    DIALECT_FINISHED = 16,  /* some choice got its finish reason here */
};

/* What the answer's events, or its whole body, told so far. */
struct dialect_stream {
    struct usage usage;
    char model[DIALECT_MODEL_BYTES];          /* as the provider names it; "" until it does; cut at a character */
    char finish_reason[DIALECT_REASON_BYTES]; /* of the choice that finished last; "" until one did */
    uint64_t finished[2];                     /* one bit for each choice index below 128 that has finished */
    uint32_t choices_expected;                /* the request's n */
    bool has_done, has_error;
};

/* How a stream ended, once its last byte is in. */
enum dialect_end {
    DIALECT_COMPLETE, /* the end marker came */
    /* No end marker, but every choice asked for has its finish reason: complete if the transport also ended in order
     * (last chunk, full length); after a broken connection it is DIALECT_CUT. */
    DIALECT_COMPLETE_UNMARKED,
    DIALECT_FAILED, /* the provider said so with an error event: the client has it, nothing is to be added */
    DIALECT_CUT,    /* incomplete: an error event is due */
};

/* One error for the client. Empty parts are null in JSON; policy and rule are left out when empty. */
struct dialect_error {
    struct slice message, type, code, param, request_id, policy, rule;
};

/* A piece of what the model writes, as far as one event or body has it. */
enum dialect_text_kind {
    DIALECT_CONTENT,
    DIALECT_REFUSAL,
    DIALECT_REASONING,
    DIALECT_CALL_NAME, /* of a tool; not for people, but it is paid for */
    DIALECT_CALL_ARGUMENTS,
};

struct dialect_text {
    struct slice text; /* decoded, not empty; borrowed for the call */
    enum dialect_text_kind kind;
    uint32_t choice, call; /* which choice, and which of its tool calls */
    bool is_whole;         /* of an answer in one piece: texts of one kind are apart, not one running on */
};

typedef void (*dialect_text_fn)(void *arg, const struct dialect_text *text);

struct dialect {
    const char *kind; /* as moongate.lua says it: "openai" */

    /* Appended to the provider's URL: "/chat/completions". */
    const char *(*path)(enum chat_kind kind);

    /* A complete JSON answer of any status. False: it could not be read, or is no object; nothing was learnt. */
    bool (*inspect_body)(struct dialect_stream *stream, struct slice body);
    /* One event's name and joined data; returns a set of enum dialect_event. Not to be called for comment-only and
     * is_raw events. Cheap for events without usage, error and finish reason. */
    unsigned (*inspect_event)(struct dialect_stream *stream, struct slice name, struct slice data);
    /* Tells each text in a whole answer, or in one event's data, in order. False: it could not be read. */
    bool (*each_text)(struct slice json, dialect_text_fn fn, void *arg);
    enum dialect_end (*judge_end)(const struct dialect_stream *stream);

    /* An event for a stream that has begun; only between events. The client's library raises it as an API error. */
    void (*write_event_error)(struct buf *out, const struct dialect_error *error);
    /* The body of an answer with an error status. */
    void (*write_body_error)(struct buf *out, const struct dialect_error *error);
};

extern const struct dialect dialect_openai;
bool openai_each_text(struct slice json, dialect_text_fn fn, void *arg); /* is dialect_openai.each_text */

/* By provider.kind; NULL when there is none of that name. */
const struct dialect *dialect_find(struct slice kind);
/* choices: what the request's n asked for; 0 counts as 1. */
void dialect_stream_init(struct dialect_stream *stream, uint32_t choices);
/* Appends what the model says to the client: all texts but the names of tools. Parts of a whole answer stand on lines of
 * their own. False: it could not be read. */
bool dialect_append_text(const struct dialect *dialect, struct slice json, struct buf *out);
/* type, code and message of a fault; request_id is the caller's to set. Borrows `why`. */
struct dialect_error dialect_error_of(const struct fault *why);

#endif
