/*
 * Where in a policy file's text a value stands: tables have no line numbers at run time, so the source is walked.
 *
 *     struct source_key path[] = {{.name = SLICE("rules")}, {.index = 2}, {.name = SLICE("when")}};
 *     if (source_locate(text, path, 3, &at)) printf("%d:%d\n", at.line, at.column);
 *
 * Looks into the table of the file's own `return access { … }` (return at the outermost level). A keyed field is found
 * at its key, a positional one at its value. What is built by code cannot be found: then the deepest place on the way.
 * Reads only; any bytes will do.
 */
#ifndef MOONGATE_LUA_SOURCE_H
#define MOONGATE_LUA_SOURCE_H

#include <stdbool.h>

#include "base/slice.h"

struct source_key {
    struct slice name; /* empty: the positional field of this index, from 1 */
    int index;
};

struct source_place {
    int line, column; /* from 1; 0 when not even the table was found */
};

/* True when the whole path was found. */
bool source_locate(struct slice text, const struct source_key *path, size_t depth, struct source_place *at);

#endif
