/*
 * What a provider says went wrong, as no dialect writes it: read of its error object, written in the client's words.
 *
 *     struct failure failure = {.kind = failure_of_status(529), .status = 529};
 *     provider->answers->read_failure(&tape, event_name, &failure, &arena);   // FAILURE_OVERLOADED, and its text
 *     client->answers->word_failure(&failure, &error, &status);          // server_is_overloaded, 503
 *
 * Slices are borrowed from the tape's bytes or in the arena. Source: wire formats of the vendors' API references, and
 * what compatible providers were seen to send ({"message"}, {"detail"}, {"object":"error"}).
 */
#ifndef MOONGATE_WIRE_TRANSLATE_FAILURE_H
#define MOONGATE_WIRE_TRANSLATE_FAILURE_H

#include "base/arena.h"
#include "base/slice.h"
#include "wire/dialect.h"
#include "wire/json.h"

enum failure_kind {
    FAILURE_REQUEST,
    FAILURE_AUTHENTICATION,
    FAILURE_BILLING, /* no credit: waiting does not help */
    FAILURE_PERMISSION,
    FAILURE_MISSING,
    FAILURE_CONFLICT,
    FAILURE_TOO_LARGE,
    FAILURE_RATE,
    FAILURE_SERVER,
    FAILURE_TIMEOUT,
    FAILURE_OVERLOADED,
};
#define FAILURES (FAILURE_OVERLOADED + 1)

struct failure {
    enum failure_kind kind;
    int status;                        /* of the answer; 0: it came in a stream */
    struct slice message, code, param; /* the provider's; empty: not said */
    uint32_t retry_after_s;            /* where the body says when to come again; 0: it does not */
};

/* What one dialect calls a kind. */
struct failure_words {
    struct slice type, code; /* code: where the provider's own is none of this dialect's; may be empty */
    int status;              /* of an answer that has another; 0: it keeps its own */
};

/* A word of a dialect's for a kind. */
struct failure_word {
    struct slice word;
    enum failure_kind kind;
};

enum failure_kind failure_of_status(int status);
/* Is it the provider's own trouble, or its account's, so that another may do better? */
bool failure_blames_provider(enum failure_kind kind);
/* True when it is one of them. */
bool failure_of_word(const struct failure_word *words, size_t count, struct slice word, enum failure_kind *kind);
/* The object that tells of it: "error", or the root itself; JSON_NONE where "error" is a text. */
uint32_t failure_object(const struct json_tape *tape);
/* Its text, under any of the names that it is known by; of an object without one, its JSON. */
struct slice failure_message(const struct json_tape *tape, struct arena *arena);
/* A string member's text, or a number's digits; empty of anything else. */
struct slice failure_member(const struct json_tape *tape, uint32_t object, struct slice name, struct arena *arena);

#endif
