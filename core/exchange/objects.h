/*
 * What a request and its answer had to do with objects that a provider keeps: whose they are, which were named, which
 * were made and which deleted.
 *
 *     made = objects_add(&x->objects, &x->arena, &(struct object_made){KEPT_RESPONSE, id, provider->name, until_s});
 *
 * All lives in the exchange's arena. Made: at most LIMIT_MADE, each once.
 */
#ifndef MOONGATE_EXCHANGE_OBJECTS_H
#define MOONGATE_EXCHANGE_OBJECTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "wire/kept.h"

struct object_made {
    enum kept_kind kind;
    struct slice id, account;
    uint32_t until_s;
};

struct objects_of {
    struct slice owner;   /* "app:writer", "key:key_1"; "": nobody asks who it is */
    /* Of each that the request names the account, where apps.lua shares it; empty: it does not. NULL: none is. */
    struct slice *shared;
    struct slice account; /* that has all that the request names; empty: it names nothing */
    struct object_made *made;
    size_t made_count, made_cap;
    struct slice gone; /* the one that was deleted; empty: none */
};

/* How long an object of that kind is known here, in seconds: as long as its provider keeps it, where that has an end.
 * Sources: OpenAI, "Conversation state": responses are kept 30 days with the items that they made, conversations and
 * theirs until they are deleted; "Code interpreter": containers end 20 minutes after their last use; "Files", "Batch".
 * Anthropic, "Code execution tool": containers end after 30 days. What has no end is known for a year. */
uint32_t objects_seconds(enum kept_kind kind);
/* Copied. NULL: it is there already, or there are LIMIT_MADE. */
const struct object_made *objects_add(struct objects_of *o, struct arena *arena, const struct object_made *made);

#endif
