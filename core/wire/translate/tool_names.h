/*
 * Tools that the provider knows by another name, or in another form, than the client: those that stand in a namespace,
 * and those that are asked with a text. Their calls are given back as the client knows them.
 *
 *     struct slice flat = tool_names_flat(arena, space, name);       // "fs__read", a JSON string
 *     struct tool_name *n = tool_names_add(&names, arena); …
 *     tool_names_keep(&names, &longer_arena, &kept);                 // texts and all
 *     const struct tool_name *n = tool_names_find(&kept, name);      // NULL: it is called what the client calls it
 *
 * Names are JSON strings as they stand; at most LIMIT_TRANSLATE_TOOL_NAMES.
 */
#ifndef MOONGATE_WIRE_TRANSLATE_TOOL_NAMES_H
#define MOONGATE_WIRE_TRANSLATE_TOOL_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

struct tool_name {
    struct slice flat;        /* as the provider has it */
    struct slice name, space; /* as the client does; space empty: it stands in no namespace */
    bool takes_text;          /* "input" of what it is asked is the text */
    struct tool_name *next;
};

struct tool_names {
    struct tool_name *first;
    uint32_t count;
};

/* Always the same; providers take 64 characters, so a longer one ends in its hash. */
struct slice tool_names_flat(struct arena *arena, struct slice space, struct slice name);
/* Zeroed; NULL: there are too many. */
struct tool_name *tool_names_add(struct tool_names *names, struct arena *arena);
void tool_names_keep(const struct tool_names *names, struct arena *arena, struct tool_names *kept);
/* name: what stands inside the quotes. names NULL: there are none. */
const struct tool_name *tool_names_find(const struct tool_names *names, struct slice name);

#endif
