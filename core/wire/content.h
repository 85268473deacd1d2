/*
 * What stands inside of messages, as all dialects read it: each member of an object by a table of the dialect's, and
 * one walk that tells its pieces (wire/chat.h).
 *
 *     static const struct content_member members[] = {[MEMBER_ROLE] = {{"role", 4}, true, true}, …};
 *     static const struct content_table table = {members, MEMBERS_COUNT};
 *     uint32_t at[MEMBERS_COUNT];
 *     const char *twice = content_read(&table, tape, part, at, &other); // NULL: none stands twice that may not
 *     content_tell_text(&walk, at[MEMBER_TEXT], PIECE_CONTENT);
 *
 * Values of the callers' own making, such as a tool's input, have no names of the format in them: who reads a request
 * notes them (content_add_free), and content_is_free() says of a node whether it lies in one. For core/wire's dialects
 * alone; holds nothing.
 */
#ifndef MOONGATE_WIRE_CONTENT_H
#define MOONGATE_WIRE_CONTENT_H

#include "wire/chat.h"

/* A member of messages, or of what is inside those. */
struct content_member {
    struct slice name;
    bool is_once;   /* of two a policy would read the one, the model the other */
    bool is_format; /* nothing in it is a text */
    struct slice other; /* a spelling that means the same; empty: there is none */
};

struct content_table {
    const struct content_member *members; /* searched in order: those that stand often come first; no name is empty */
    unsigned count;
};

/* Which one a node is, by its key; table->count: none of them, or no member. */
unsigned content_find(const struct content_table *table, const struct json_tape *tape, uint32_t node);
/* Each member's first value, in one walk over the object, else JSON_NONE; none of what is no object. `at` has room for
 * all of the table. other: the first member that has no name there. Returns the name of one that may not stand twice,
 * and does; NULL: there is none. */
const char *content_read(const struct content_table *table, const struct json_tape *tape, uint32_t object,
                         uint32_t *at, uint32_t *other);
/* Does the object's "type" say so? */
bool content_is_of_type(const struct json_tape *tape, uint32_t object, struct slice type);

/* Whose word it is that a message's "role" names, in OpenAI's APIs. */
enum chat_role content_role(const struct json_tape *tape, uint32_t role);

struct content_walk {
    const struct json_tape *tape;
    uint32_t message;    /* its number */
    enum chat_role role; /* of its pieces */
    bool is_result;      /* inside of what a tool gave back */
    chat_piece_fn fn;
    void *arg;
};

/* With the walk's message, and its role where the piece has none. False when fn did. */
bool content_tell(const struct content_walk *w, struct chat_piece piece);
/* Nothing of what is no string. Most members are not there, which is seen without a call. */
bool content_tell_given(const struct content_walk *w, uint32_t node, enum chat_piece_kind kind);
static inline bool content_tell_text(const struct content_walk *w, uint32_t node, enum chat_piece_kind kind)
{
    return node == JSON_NONE || content_tell_given(w, node, kind);
}
/* What a tool is asked: a text, or a value in which no name is the format's. */
bool content_tell_given_value(const struct content_walk *w, uint32_t node);
static inline bool content_tell_value(const struct content_walk *w, uint32_t node)
{
    return node == JSON_NONE || content_tell_given_value(w, node);
}
/* The same of what nobody here knows: names of the format may be in it, or not. What texts are read in it, all of it;
 * what it names of what the provider keeps is looked up (wire/kept.h). */
bool content_tell_unknown(const struct content_walk *w, uint32_t node);
/* Such values of an object's members that the table has no name for, from content_read()'s `other` on. */
bool content_tell_others(const struct content_table *table, const struct content_walk *w, uint32_t other);
/* Each element of a list, numbered on; nothing when it is none. */
bool content_walk_messages(struct content_walk *w, uint32_t messages,
                           bool (*tell_message)(struct content_walk *w, uint32_t message));

/* Is a list one of parts, which are texts or objects? Else it is a value. */
bool content_is_parts(const struct json_tape *tape, uint32_t list);

/* In no message: a tool, and the function that it declares (JSON_NONE: none); and what tool_choice says to the model,
 * as OpenAI's APIs write it. */
bool content_tell_tool(const struct json_tape *tape, uint32_t tool, uint32_t function, chat_piece_fn fn, void *arg);
bool content_tell_choice(const struct json_tape *tape, uint32_t choice, chat_piece_fn fn, void *arg);

/* They come nearly in the order in which they stand, and are sorted when all are there. */
void content_add_free(struct chat_request *r, struct arena *arena, const struct chat_piece *piece);
void content_sort_free(struct chat_request *r);
/* Inside of one, not the value itself. */
bool content_is_free(const struct chat_request *r, uint32_t node);
/* The same, and its names are known to be the caller's own. */
bool content_is_callers(const struct chat_request *r, uint32_t node);

#endif
