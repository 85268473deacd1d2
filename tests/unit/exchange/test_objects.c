/* What an answer makes: each object once, as many as may be told, with the id that it came by. */
#include "exchange/objects.h"

#include "../unit.h"

#include "base/limits.h"

static const struct object_made *add(struct objects_of *o, struct arena *arena, struct slice id)
{
    return objects_add(o, arena, &(struct object_made){KEPT_ITEM, id, SLICE("openai"), 99});
}

static void each_is_noted_once_and_kept(void)
{
    struct arena arena;
    struct objects_of o = {0};
    char id[32];
    arena_init(&arena);
    for (unsigned i = 0; i < LIMIT_MADE; i++) {
        snprintf(id, sizeof id, "msg_%u", i);
        EXPECT(add(&o, &arena, slice_str(id)) != NULL);
        EXPECT(add(&o, &arena, slice_str(id)) == NULL);
    }
    EXPECT_INT(LIMIT_MADE, o.made_count);
    EXPECT(add(&o, &arena, SLICE("one more")) == NULL);
    for (unsigned i = 0; i < LIMIT_MADE; i++) {
        snprintf(id, sizeof id, "msg_%u", i);
        EXPECT_SLICE(slice_str(id), o.made[i].id);
        EXPECT_SLICE(SLICE("openai"), o.made[i].account);
        EXPECT_INT(99, o.made[i].until_s);
    }
    arena_clear(&arena);
}

static void what_is_no_id_is_not(void)
{
    struct arena arena;
    struct objects_of o = {0};
    char long_id[LIMIT_KEPT_ID_BYTES + 1];
    memset(long_id, 'a', sizeof long_id);
    arena_init(&arena);
    EXPECT(add(&o, &arena, SLICE("")) == NULL && add(&o, &arena, slice_of(long_id, sizeof long_id)) == NULL);
    EXPECT(add(&o, &arena, slice_of(long_id, sizeof long_id - 1)) != NULL);
    arena_clear(&arena);
}

/* Nothing here may be let go before its provider does. */
static void each_kind_is_kept_as_long_as_there(void)
{
    const unsigned day = 86400;
    EXPECT_INT(30 * day, objects_seconds(KEPT_RESPONSE));
    EXPECT_INT(31 * day, objects_seconds(KEPT_CONTAINER));
    for (enum kept_kind kind = 0; kind < KEPT_KINDS; kind++)
        EXPECT(objects_seconds(kind) >= (kind == KEPT_VOICE ? day : 30 * day));
}

int main(void)
{
    RUN(each_is_noted_once_and_kept);
    RUN(what_is_no_id_is_not);
    RUN(each_kind_is_kept_as_long_as_there);
    return unit_close("objects");
}
