/*
 * Objects that a provider keeps and a request names: responses, conversations, files, containers, stores. Whose one is
 * its id does not say, so that each must be known to be the caller's before it is sent (flow/owning.h).
 *
 *     if (!kept_find(r, arena, &why)) …          // in what the body has, wherever such a name stands
 *     if (!kept_add(r, arena, KEPT_ITEM, id, &why)) …
 *     for (uint32_t i = 0; i < r->kept_count; i++) … r->kept[i].kind, r->kept[i].id …
 *
 * Found by the members' names, at any depth, in any letter case, since a provider may read them so: all but inside of
 * values of the caller's own making (a tool's input, wire/content.h) and of schemas. An id comes once. At most
 * LIMIT_KEPT; ids of at most LIMIT_KEPT_ID_BYTES: what says more is refused. Sources: API references of OpenAI (chat,
 * Responses), Anthropic (Messages, Files, Skills), Mistral and xAI.
 */
#ifndef MOONGATE_WIRE_KEPT_H
#define MOONGATE_WIRE_KEPT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/fault.h"
#include "base/slice.h"

struct chat_request;

enum kept_kind {
    KEPT_RESPONSE,
    KEPT_CONVERSATION,
    KEPT_ITEM, /* of a response or a conversation */
    KEPT_CONTAINER,
    KEPT_FILE,
    KEPT_STORE, /* of documents */
    KEPT_SKILL,
    KEPT_VOICE, /* and what was said in one */
    KEPT_BATCH,
    KEPT_LINES, /* of a file for a batch: kept_lines() */
};
#define KEPT_KINDS (KEPT_LINES + 1)

struct kept_object {
    enum kept_kind kind;
    struct slice id; /* decoded text, in the arena */
};

/* "response", "file", … */
const char *kept_name(enum kept_kind kind);
/* Notes one that is named; the id is copied. False: FAULT_BAD_BODY. */
bool kept_add(struct chat_request *r, struct arena *arena, enum kept_kind kind, struct slice id, struct fault *why);
/* The members "id" of an object of the tape that are strings: of two either may be the one that is read. */
bool kept_add_ids(struct chat_request *r, struct arena *arena, enum kept_kind kind, uint32_t object, struct fault *why);
/* What stands for a file whose lines were read, all for one endpoint, with or without "/v1": a batch is made of no
 * other. In the arena. */
struct slice kept_lines(struct arena *arena, struct slice file, struct slice endpoint);
/* All that the request's tape names, by member; of a batch its file's lines, too. False: FAULT_BAD_BODY. */
bool kept_find(struct chat_request *r, struct arena *arena, struct fault *why);

#endif
