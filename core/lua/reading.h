/*
 * What the text of a Lua file shows to whoever reads it and does not run it: keys that a table has twice, decisions
 * that are built and thrown away, and which calls stand in its functions.
 *
 *     struct reading *reading = reading_new(text);          // of a file that compiles
 *     for (size_t i = 0; i < reading_count(reading); i++) {
 *         const struct reading_item *item = reading_at(reading, i); …
 *     }
 *     reading_free(reading);
 *
 * A decision is what deny, route, only, drop and pass give, and functions of the same file that return one of theirs. A
 * file that calls something of its own by such a name is not looked at for that name. Borrows the text. Any bytes will
 * do; what is nested deeper than LIMIT_SOURCE_DEPTH is not read.
 */
#ifndef MOONGATE_LUA_READING_H
#define MOONGATE_LUA_READING_H

#include <stddef.h>

#include "base/slice.h"
#include "lua/lexer.h"

enum reading_kind {
    READING_KEY_TWICE, /* first: where the other stands */
    READING_LOST,      /* a call that is a whole statement, of something that gives a decision */
    READING_NIL,       /* outside functions: a field that is nil, and so not there */
    READING_CONSTANT,  /* a hook that returns a text, a number, true or false */
    READING_FIELD,     /* in a function: "ctx.identity.app", "ctx:warn" */
    READING_CALL,      /* in a function: "http.post", "ctx.request:set" */
};

struct reading_item {
    enum reading_kind kind;
    struct slice name;
    struct lexer_place at, first;
    struct lexer arguments; /* of a call: at its first argument's bracket or text */
};

struct reading;

struct reading *reading_new(struct slice text);
void reading_free(struct reading *reading); /* NULL is welcome */
size_t reading_count(const struct reading *reading);
const struct reading_item *reading_at(const struct reading *reading, size_t i);

#endif
