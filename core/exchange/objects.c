#include "exchange/objects.h"

#include <string.h>

#include "base/limits.h"

#define FIRST_MADE 16u

#define DAY_S 86400u
#define YEAR_S (366u * DAY_S)

uint32_t objects_seconds(enum kept_kind kind)
{
    switch (kind) {
    case KEPT_RESPONSE: return 30 * DAY_S;
    case KEPT_CONTAINER: return 31 * DAY_S;
    case KEPT_VOICE: return DAY_S;
    case KEPT_CONVERSATION:
    case KEPT_ITEM:
    case KEPT_FILE:
    case KEPT_STORE:
    case KEPT_SKILL:
    case KEPT_LINES:
    case KEPT_BATCH: break;
    }
    return YEAR_S;
}

static bool is_noted(const struct objects_of *o, struct slice id)
{
    for (size_t i = 0; i < o->made_count; i++)
        if (slice_equal(o->made[i].id, id)) return true;
    return false;
}

/* The array of before stays in the arena: together they are no more than twice the last. */
static void make_room(struct objects_of *o, struct arena *arena)
{
    if (o->made_count < o->made_cap) return;
    o->made_cap = o->made_cap ? 2 * o->made_cap : FIRST_MADE;
    struct object_made *larger = arena_alloc(arena, o->made_cap * sizeof *larger);
    if (o->made_count) memcpy(larger, o->made, o->made_count * sizeof *larger);
    o->made = larger;
}

const struct object_made *objects_add(struct objects_of *o, struct arena *arena, const struct object_made *made)
{
    bool is_id = made->id.len && made->id.len <= LIMIT_KEPT_ID_BYTES;
    if (!is_id || o->made_count == LIMIT_MADE || is_noted(o, made->id)) return NULL;
    make_room(o, arena);
    struct object_made *own = &o->made[o->made_count++];
    *own = *made;
    own->id = arena_copy(arena, made->id);
    own->account = arena_copy(arena, made->account);
    return own;
}
