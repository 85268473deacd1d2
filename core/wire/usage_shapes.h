/*
 * The tables by which usage reports are read: where each shape keeps a count, and whether it lies inside its parent.
 *
 *     const struct usage_form *form = usage_form(USAGE_SHAPE_GEMINI);
 *     for (size_t i = 0; i < form->member_count; i++) ... form->members[i].name ...
 *
 * For usage.c and usage_parts.c alone. Paths are member names with a dot between, of a list its first element; data
 * only, nothing is owned.
 */
#ifndef MOONGATE_WIRE_USAGE_SHAPES_H
#define MOONGATE_WIRE_USAGE_SHAPES_H

#include <stddef.h>

#include "wire/usage.h"

#define USAGE_PLACES_MAX 4
#define USAGE_OBJECTS_MAX 11

/* A count against the one that should hold it. */
enum usage_relation {
    USAGE_INSIDE,
    USAGE_BESIDE,
    USAGE_BY_TOTAL, /* inside, unless the total has exactly room for it beside */
};

/* Rows of the same count stand together: the first of them that is there, and not null, is taken. */
struct usage_member {
    size_t offset;   /* in struct usage */
    unsigned object; /* which of the form's objects holds it; 0: the usage object itself */
    const char *name;
};

/* An object that many members share. */
struct usage_inner {
    unsigned object; /* which one holds it, as of a member */
    const char *name;
};

/* A list of { modality, tokenCount }. What is neither sound nor picture stays with the text. */
struct usage_modality {
    const char *path;
    size_t audio, image, video; /* offsets in struct usage; image and video may be the same */
};

struct usage_form {
    const char *places[USAGE_PLACES_MAX]; /* of usage objects, from the root; the later counts where both are */
    const char *tiers[USAGE_PLACES_MAX];  /* of the tier of service, likewise */
    const char *speeds[USAGE_PLACES_MAX], *geographies[USAGE_PLACES_MAX]; /* what else has rates, likewise */
    const struct usage_inner *objects; /* at most USAGE_OBJECTS_MAX; NULL: all members stand in the usage object */
    const struct usage_member *members;
    size_t member_count;
    const struct usage_modality *modalities;
    size_t modality_count;
    const char *lives;      /* list of { ttl, inputTokens }: what was written into caches, by how long it lives */
    const char *iterations; /* list of samplings (Anthropic), NULL when the shape has none */
    enum usage_relation cache, reasoning;
    bool has_all_by_total; /* the total may hold output that no count names */
};

const struct usage_form *usage_form(enum usage_shape shape);

static inline int64_t *usage_count(struct usage *u, size_t offset)
{
    return (int64_t *)(void *)((char *)u + offset);
}

#endif
