/*
 * From one dialect to another: a client's request as the provider's API takes it.
 *
 *     if (translate_can(client, provider, CHAT_CHAT)) …             // for chats; nothing else has a counterpart
 *     struct translate_target target = {.traits = …, .limit = …, .asks_usage = true};
 *     if (!translate_request(client, body, provider, &target, arena, &out, &dropped, &why)) …   // 400
 *
 * The body is as it would have gone to a target of the client's own dialect: the model's name, masks and what policies
 * set are in it. What the provider has no words for is refused (FAULT_BAD_BODY, which names its place), or left out
 * and named in `dropped`. Content and tools are refused, for an answer without them would be another one. Left out and
 * named all the same are a search that the client's other tools stand in for, what tools of a provider's own did and
 * gave back, and what was thought elsewhere. Texts of blanks alone, which Anthropic's API refuses, say nothing: they
 * are left out and not named.
 * No state; nothing is kept.
 */
#ifndef MOONGATE_WIRE_TRANSLATE_TRANSLATE_H
#define MOONGATE_WIRE_TRANSLATE_TRANSLATE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/slice.h"
#include "wire/dialect.h"
#include "wire/translate/conversation.h"
#include "wire/translate/dropped.h"
#include "wire/translate/traits.h"

/* Whom a request is written for. */
struct translate_target {
    const struct traits *traits; /* never NULL */
    enum chat_limit limit;       /* what it calls the bound of its answers */
    bool asks_usage;             /* a stream is to tell its usage, where that has to be asked for */
    struct slice model;          /* as it calls it, where a body does not say it */
    bool is_stream;              /* the path asked for one, whatever the body says */
    struct tool_names *names;    /* filled, of the arena and the body: tools that the client calls otherwise; or NULL */
};

/* What few have words for. */
enum {
    CARRIES_LABELS = 1 << 0, /* conversation.labels */
    CARRIES_CACHE_KEY = 1 << 1,
    CARRIES_DETAIL = 1 << 2, /* part.detail */
    CARRIES_TIER = 1 << 3,   /* all of enum service_tier */
};

/* One dialect's half of the hub. */
struct request_translation {
    /* Appends the body as read() wants it, where that is not as it stands; false: it is. NULL: it always is. */
    bool (*respell)(const struct chat_request *r, struct arena *arena, struct buf *body, struct dropped *dropped);
    /* Fills c, begun by conversation_init(), from a request of this dialect. NULL: its clients speak to its own
     * providers alone. */
    bool (*read)(const struct chat_request *r, struct conversation *c, struct dropped *dropped, struct fault *why);
    /* Appends the body; c may be rearranged for that. False: refused before anything is written, for what was said has
     * no form there (FAULT_BAD_BODY). NULL: no provider is spoken to in it but by its own clients. */
    bool (*write)(struct conversation *c, const struct translate_target *target, struct buf *out,
                  struct dropped *dropped, struct fault *why);
    unsigned carries; /* what write() says, or names itself where it leaves it out; others' is named for them */
    bool names_tiers; /* read() tells of every service tier that its clients may ask for */
    const struct conversation_words *words;
};

/* Are requests for that translated: do both dialects have their halves, of requests and of answers
 * (wire/translate/translator.h)? Chats alone, and their counts, which the gateway makes itself. */
bool translate_can(const struct dialect *client, const struct dialect *provider, enum chat_kind kind);
/* Is the provider told which service tier the client asks for? */
bool translate_tells_tier(const struct dialect *client, const struct dialect *provider);
/* False: FAULT_BAD_BODY, or one of chat_parse()'s; then out is as it was. */
bool translate_request(const struct dialect *client, struct slice body, const struct dialect *provider,
                       const struct translate_target *target, struct arena *arena, struct buf *out,
                       struct dropped *dropped, struct fault *why);

#endif
