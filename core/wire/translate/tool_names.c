#include "wire/translate/tool_names.h"

#include <xxhash.h>

#include "base/limits.h"

#define NAME_BYTES 64 /* OpenAI and most others; Anthropic's API takes 128 */
#define HASH_BYTES 17 /* _0123456789abcdef */

static struct slice inside(struct slice raw)
{
    return slice_of(raw.ptr + 1, raw.len - 2);
}

static bool ends_in_separator(struct slice text)
{
    return text.len >= 2 && text.ptr[text.len - 1] == '_' && text.ptr[text.len - 2] == '_';
}

/* May be cut anywhere: no escapes, no characters of several bytes. */
static bool is_plain(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\' || (unsigned char)text.ptr[i] >= 0x80) return false;
    }
    return true;
}

struct slice tool_names_flat(struct arena *arena, struct slice space, struct slice name)
{
    if (space.len <= 2) return name;
    const char *between = ends_in_separator(inside(space)) ? "" : "__";
    struct slice flat =
        arena_printf(arena, "\"%.*s%s%.*s\"", SLICE_FMT(inside(space)), between, SLICE_FMT(inside(name)));
    if (flat.len <= NAME_BYTES + 2 || !is_plain(flat)) return flat;
    unsigned long long hash = XXH3_64bits(flat.ptr, flat.len);
    return arena_printf(arena, "%.*s_%016llx\"", NAME_BYTES - HASH_BYTES + 1, flat.ptr, hash);
}

struct tool_name *tool_names_add(struct tool_names *names, struct arena *arena)
{
    if (names->count == LIMIT_TRANSLATE_TOOL_NAMES) return NULL;
    struct tool_name *name = arena_zalloc(arena, sizeof *name);
    name->next = names->first;
    names->first = name;
    names->count++;
    return name;
}

void tool_names_keep(const struct tool_names *names, struct arena *arena, struct tool_names *kept)
{
    *kept = (struct tool_names){.first = NULL};
    for (const struct tool_name *n = names->first; n; n = n->next) {
        struct tool_name *copy = tool_names_add(kept, arena);
        copy->flat = arena_copy(arena, n->flat);
        copy->name = arena_copy(arena, n->name);
        copy->space = arena_copy(arena, n->space);
        copy->takes_text = n->takes_text;
    }
}

const struct tool_name *tool_names_find(const struct tool_names *names, struct slice name)
{
    for (const struct tool_name *n = names ? names->first : NULL; n; n = n->next) {
        if (slice_equal(inside(n->flat), name)) return n;
    }
    return NULL;
}
