/*
 * Where each field of a configuration file stands: line and column by path, read off the text, not off the evaluation.
 *
 *     struct places places;
 *     places_init(&places);
 *     places_scan(&places, text);
 *     const struct place *p = places_find(&places, "providers.openai.url");
 *     places_clear(&places);
 *
 * Knows the table constructors that follow the file's `return` (lua/source.h). What a program computes elsewhere has no
 * place of its own; the nearest field around it is found instead.
 */
#ifndef MOONGATE_SERVER_PLACES_H
#define MOONGATE_SERVER_PLACES_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"

struct source;

struct place {
    int key_line, key_column;     /* of the field's name; both count from 1 */
    int value_line, value_column; /* of what is assigned to it */
};

struct places {
    struct arena arena; /* of the text, and of what was found */
    struct source *source;
};

void places_init(struct places *p);
void places_clear(struct places *p);
/* Once; copies the text. */
void places_scan(struct places *p, struct slice text);
/* The field's place, else that of the nearest field around it; NULL when not even that is known. *is_exact (may be
 * NULL) tells which. Valid until places_clear(). */
const struct place *places_find(struct places *p, struct slice path, bool *is_exact);

#endif
