#include "server/places.h"

#include "lua/source.h"

void places_init(struct places *p)
{
    *p = (struct places){0};
    arena_init(&p->arena);
}

void places_clear(struct places *p)
{
    source_free(p->source);
    arena_clear(&p->arena);
    *p = (struct places){0};
}

void places_scan(struct places *p, struct slice text)
{
    p->source = source_new(arena_copy(&p->arena, text));
}

const struct place *places_find(struct places *p, struct slice path, bool *is_exact)
{
    size_t found_bytes = 0;
    const struct source_field *field = p->source ? source_find(p->source, path, &found_bytes) : NULL;
    if (is_exact) *is_exact = field && found_bytes == path.len;
    if (!field) return NULL;
    struct place *place = arena_alloc(&p->arena, sizeof *place);
    *place = (struct place){field->key.line, field->key.column, field->value.line, field->value.column};
    return place;
}
