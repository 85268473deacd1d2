/*
 * Where the values of a Lua file's table stand in its text: tables have no line numbers at run time,
 * so the text is read.
 *
 *     struct source *source = source_new(text);                 // once a file
 *     struct source_key path[] = {{.name = SLICE("rules")}, {.index = 2}, {.name = SLICE("when")}};
 *     if (source_locate(source, path, 3, &at)) printf("%d:%d\n", at.line, at.column);
 *     source_free(source);
 *
 * Knows the tables that the file itself returns, bare or as the argument of a call: return { … }, return access { … };
 * not what its functions return. A table inside a field's value belongs to that field: `price = usd { input = 1 }`. Of
 * fields written twice the last counts, as it does in Lua. What code builds cannot be found.
 * Finding takes as long in a large file as in a small one. Borrows the text. Any bytes will do.
 */
#ifndef MOONGATE_LUA_SOURCE_H
#define MOONGATE_LUA_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "lua/lexer.h"

struct source;

struct source_key {
    struct slice name; /* empty: the positional field of this index, from 1 */
    int index;
};

struct source_field {
    struct lexer_place key, value; /* the same where the field has no key */
};

struct source *source_new(struct slice text);
void source_free(struct source *source); /* NULL is welcome */

/* A keyed field's key, a positional one's value. True when the whole path was found; else the deepest place on the way,
 * 0:0 when not even the table is there. */
bool source_locate(const struct source *source, const struct source_key *path, size_t depth, struct lexer_place *at);

/* By the path as people write it, "providers.openai.url", "rules[2].when". NULL when it is not there; *found_bytes (may
 * be NULL) is how much of the path was. Valid as long as the source. */
const struct source_field *source_find(const struct source *source, struct slice path, size_t *found_bytes);

#endif
