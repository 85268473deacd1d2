/*
 * One table a dialect: how its requests are read and edited, where they are sent, what its answers say, how errors and
 * lists are written in it. An exchange has two, which may be one: its client's, of the path that was asked for
 * (exchange/api.h), reads the request (wire/chat.h) and writes what the client sees; the provider's, one that accounts
 * of its kind speak, says where to send, and reads what came.
 *
 *     const struct dialect *d = dialect_for(provider->kind, terms->traits, api->client);   // NULL: none
 *     struct dialect_stream stream;
 *     dialect_stream_init(&stream, request->choices);
 *     d->read_event(&reader, &stream, event->name, event->data, &said);   // what it says: wire/said.h
 *     if ((said.what & SAID_USAGE_ONLY) && asked_usage) ... leave this event out
 *     ...
 *     if (d->judge_end(&stream) == DIALECT_CUT) d->write_event_error(&out, &error);
 *
 * Reading never fails an answer: what cannot be read is said (SAID_UNREADABLE) for the caller to count, and the bytes
 * are relayed all the same. Nothing here ever writes an end marker.
 * No state but dialect_stream and the reader's memory.
 */
#ifndef MOONGATE_WIRE_DIALECT_H
#define MOONGATE_WIRE_DIALECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/slice.h"
#include "wire/chat.h"
#include "wire/said.h"
#include "wire/usage.h"

struct filled_dialect;      /* wire/filled/filled_inner.h */
struct kept_answer;         /* wire/kept_answer.h */
struct request_translation; /* wire/translate/translate.h */
struct answer_translation;  /* wire/translate/answers.h */
struct hosting;             /* wire/hosting.h */
struct traits;              /* wire/translate/traits.h */

#define DIALECT_MODEL_BYTES 96
#define DIALECT_REASON_BYTES 32
#define DIALECT_CHOICES_MAX 128u /* OpenAI's API allows n up to that; no other allows more */

#define DIALECT_ITEMS_MAX 1024u

/* A set of places in a response's output. Beyond DIALECT_ITEMS_MAX the last one alone is known. */
struct dialect_items {
    uint64_t bits[DIALECT_ITEMS_MAX / 64];
    uint32_t beyond; /* 0: none */
};

/* What the answer's events, or its whole body, told so far. */
struct dialect_stream {
    struct usage usage;
    char model[DIALECT_MODEL_BYTES];          /* as the provider names it; "" until it does; cut at a character */
    char finish_reason[DIALECT_REASON_BYTES]; /* of the choice that finished last; "" until one did */
    uint64_t finished[DIALECT_CHOICES_MAX / 64]; /* one bit for each choice index below that which has finished */
    uint32_t choices_expected;                /* as the request asks for */
    struct dialect_items named;         /* of a response's items: those whose name was told … */
    uint8_t spoken[DIALECT_ITEMS_MAX];  /* … and which of their texts were, by the dialect's own bits … */
    uint32_t spoken_beyond;             /* … and the last behind those that has told any; 0: none has */
    bool has_items;                     /* they end in events of their own, which count what they cost */
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
    /* Of the gateway's own refusals, whose type is OpenAI's: what a dialect that has other types goes by, also where a
     * stream has begun with 200. 0: the type is a word of the dialect it is written in. */
    int status;
    uint32_t retry_after_s; /* when to come again; 0: not said */
    struct slice approval;  /* a JSON object: who may let him through, and how to ask; empty: nobody */
};

/* What may still be sent of one unit. limit 0: it is not limited. */
struct dialect_rate {
    int64_t limit, left;
    uint64_t reset_ns; /* since 1970: when nothing of it will be used up */
};

struct dialect_rates {
    struct dialect_rate requests, tokens;
};

struct dialect_header {
    struct slice name, value;
};

#define DIALECT_RATE_HEADERS_MAX 6

struct dialect {
    const char *name; /* as records and policies say it: "openai" */

    /* --- a request, by wire/chat.h alone --- */

    /* Fills r from its tape, whose root is an object; r->kind says what is asked for. False: FAULT_BAD_BODY. */
    bool (*read_request)(struct chat_request *r, struct arena *arena, struct fault *why);
    /* chat_walk(), and the same of one message and its number. */
    bool (*walk)(const struct chat_request *r, chat_piece_fn fn, void *arg);
    bool (*walk_message)(const struct json_tape *tape, uint32_t message, uint32_t number, chat_piece_fn fn, void *arg);
    enum chat_role (*role)(const struct json_tape *tape, uint32_t message);
    /* Of a node inside messages, prompt or input: it is no text for a model, nor is anything inside it. */
    bool (*is_format)(const struct chat_request *r, uint32_t node);
    void (*edit_ask_usage)(const struct chat_request *r, struct splice *edits);
    /* Where a body names its model elsewhere than in model_node; NULL: it does not. */
    void (*edit_model)(const struct chat_request *r, struct splice *edits, struct slice model);
    void (*edit_member)(const struct chat_request *r, struct splice *edits, enum chat_limit limit, struct slice name,
                        struct slice json);
    bool names_user_once; /* "user" and "safety_identifier" are one member here: edit one of both */
    /* NULL: it has one name for the bound of an answer. */
    void (*edit_limit_name)(const struct chat_request *r, struct splice *edits, enum chat_limit limit);
    /* Does a body look like one of this dialect's, and for what does it ask? For commands; nothing is decided by it. */
    bool (*guess)(const struct json_tape *tape, enum chat_kind *kind);

    /* From and to other dialects; NULL: nobody translates it. */
    const struct request_translation *request_translation;
    const struct filled_dialect *filled; /* how prompts are written into its requests; NULL: none are */
    const struct hosting *hosting; /* its API where others host it (wire/hosting.h); NULL: nobody does */

    /* --- an answer --- */

    bool repeats_answer; /* one event of its streams says all of an answer once more, and may be as large */
    /* Appended to the provider's URL: "/chat/completions". NULL: it has nothing of that kind. */
    const char *(*path)(enum chat_kind kind);
    /* Where that is not all of it: the path of this request to that model. NULL: it is. */
    struct slice (*path_to)(const struct chat_request *r, struct slice model, struct arena *arena);
    const char *publisher; /* whose models others host in it, where it is one's own: "anthropic"; NULL: anybody's */
    uint32_t output_least; /* tokens that an answer may be bounded to: a translated request for fewer asks for these */
    bool has_deployments; /* Azure has a path for each of its models; else the body alone names the model there */
    struct dialect_header key_header;     /* the account's key goes there, behind this beginning: "Bearer " */
    struct slice key_parameter;           /* of the query, which clients may have instead of key_header; empty: none */
    struct slice query;                   /* the one parameter of the client's that goes along; empty: none. Where
                                           * streams_list, that asks for events */
    struct slice query_name;              /* that one's other name; empty: it has none */
    struct dialect_header version_header; /* sent where neither the client nor the account says it; empty: none */

    /* A complete answer of any status, read into *said and the stream; SAID_UNREADABLE: it is no JSON object, and
     * nothing was learnt. *said is good until the reader's next reading. */
    void (*read_body)(struct said_reader *reader, struct dialect_stream *stream, struct slice body, struct said *said);
    bool streams_list; /* a stream may come as a JSON array too, whose elements are its events: where nobody asked for
                        * `query` */
    bool ends_unmarked; /* a stream's end is the event with its finish reason: what is translated into it has that
                         * in the last one */
    /* One event's name and joined data, likewise. Not to be called for comment-only and is_raw events. */
    void (*read_event)(struct said_reader *reader, struct dialect_stream *stream, struct slice name, struct slice data,
                       struct said *said);
    /* The objects that its provider keeps from now on, of an event or a whole answer; NULL: it tells of none. */
    void (*tell_kept)(const struct kept_answer *t);
    bool keeps_answers; /* … of which the answer is one, unless the request has "store": false */
    enum dialect_end (*judge_end)(const struct dialect_stream *stream);
    const struct answer_translation *answers; /* from and to other dialects; NULL: nobody translates them */

    /* --- what the client is told --- */

    struct slice request_id_header; /* the one that the client's library reads: "x-request-id" */

    /* An event for a stream that has begun; only between events. The client's library raises it as an API error. */
    void (*write_event_error)(struct buf *out, const struct dialect_error *error);
    /* The body of an answer with an error status. */
    void (*write_body_error)(struct buf *out, const struct dialect_error *error);
    /* What the caller's limits leave: at most DIALECT_RATE_HEADERS_MAX headers, in the arena. Returns their number. */
    size_t (*write_rates)(struct arena *arena, const struct dialect_rates *rates, uint64_t now_ns,
                          struct dialect_header *headers);
    const char *rate_names; /* of all of them, with commas: what a page may read */
    /* The body of an answer to CHAT_COUNT; NULL: nobody asks for that. */
    void (*write_count)(struct buf *out, uint64_t tokens);
    /* The bodies of answers that name models: all that the caller may use, or the one that was asked for. since: they
     * are offered, in seconds since 1970. */
    void (*write_models)(struct buf *out, const struct slice *names, size_t count, int64_t since);
    void (*write_model)(struct buf *out, struct slice name, int64_t since);
};

extern const struct filled_dialect filled_chat, filled_responses, filled_messages, filled_gemini;
extern const struct answer_translation openai_answers, anthropic_answers, responses_answers, gemini_answers;
extern const struct answer_translation converse_answers;
extern const struct dialect dialect_openai, dialect_responses, dialect_anthropic, dialect_gemini;
/* Providers alone speak it: it has nothing that reads requests or writes to clients, and is none of those below. */
extern const struct dialect dialect_converse;

/* All of them that clients speak; NULL behind the last. */
const struct dialect *dialect_at(size_t index);
/* By its name; NULL when there is none. */
const struct dialect *dialect_find(struct slice name);
/* Is there such a kind of account (provider.kind)? */
bool dialect_has_kind(struct slice kind);
/* What an account of that kind is spoken to in about a model of those traits, of which the publisher counts where
 * accounts host others' models, and whether it answers in the Responses API alone (NULL: nobody knows it): the client's
 * own dialect where that is spoken there, else the main one; client NULL: the main one. NULL: there is no such kind, or
 * it has no such models. */
const struct dialect *dialect_for(struct slice kind, const struct traits *traits, const struct dialect *client);
/* The dialect that a body looks like one of; NULL: none. */
const struct dialect *dialect_guess(const struct json_tape *tape, enum chat_kind *kind);
/* Does a client's query have the dialect's parameter, by whichever name, its value in whichever letter case, escaped or
 * not? */
bool dialect_asks(const struct dialect *dialect, struct slice query);
/* choices: how many answers were asked for (chat_request.choices); 0 counts as 1. */
void dialect_stream_init(struct dialect_stream *stream, uint32_t choices);
/* For dialects: that choice has finished; one that is not below DIALECT_CHOICES_MAX is not kept. */
void dialect_finish_choice(struct dialect_stream *stream, int64_t index);
/* For dialects: how an answer in one piece, or an event's data, is read. read_object: of the reader's tape, whose root
 * is an object; a set of enum said_what. */
typedef unsigned (*dialect_object_fn)(struct said_reader *reader, struct dialect_stream *stream);
void dialect_read_body(struct said_reader *reader, struct dialect_stream *stream, struct slice body, struct said *said,
                       dialect_object_fn read_object);
/* said->json, behind said_begin(). */
void dialect_read_json(struct said_reader *reader, struct dialect_stream *stream, struct said *said,
                       dialect_object_fn read_object);
/* An event of OpenAI's APIs: false where it is the end marker, "[DONE]", which is read. Groq ends a stream with an
 * event named "error", which the client's library raises whatever is in it. */
bool dialect_begin_event(struct said_reader *reader, struct dialect_stream *stream, struct slice name,
                         struct slice data, struct said *said);
/* For dialects: write_rates by its names, and by how it spells when all of a limit is there again, never before now. */
struct dialect_rate_form {
    struct slice requests[3], tokens[3]; /* limit, what is left, reset */
    struct slice (*spell_reset)(struct arena *arena, uint64_t reset_ns, uint64_t now_ns);
};
size_t dialect_write_rates(struct arena *arena, const struct dialect_rate_form *form,
                           const struct dialect_rates *rates, uint64_t now_ns, struct dialect_header *headers);
/* For dialects: a string of an answer, decoded, cut at a character, NUL-terminated. */
void dialect_copy_text(char *to, size_t size, const struct json_tape *tape, uint32_t string);
/* type, code, status and message of a fault; request_id is the caller's to set. Borrows `why`. */
struct dialect_error dialect_error_of(const struct fault *why);

#endif
