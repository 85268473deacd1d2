#include "exchange/objects.h"

#include "base/limits.h"

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

const struct object_made *objects_add(struct objects_of *o, struct arena *arena, enum kept_kind kind, struct slice id,
                                      struct slice account, uint64_t now_s)
{
    if (!id.len || id.len > LIMIT_KEPT_ID_BYTES || o->made_count == LIMIT_KEPT || is_noted(o, id)) return NULL;
    if (!o->made) o->made = arena_alloc(arena, LIMIT_KEPT * sizeof *o->made);
    struct object_made *made = &o->made[o->made_count++];
    *made = (struct object_made){.kind = kind,
                                 .id = arena_copy(arena, id),
                                 .account = arena_copy(arena, account),
                                 .until_s = (uint32_t)(now_s + objects_seconds(kind))};
    return made;
}
