/*
 * What of a request its target has no words for: named by its path in the client's body, so that nobody loses anything
 * in silence.
 *
 *     struct dropped dropped = {0};
 *     dropped_add(&dropped, SLICE("logprobs"));
 *     dropped_add_at(&dropped, "messages", 3, SLICE("audio"));
 *     dropped_write(&dropped, &out);                              // logprobs, messages[3].audio
 *
 * Bounded: DROPPED_MAX paths, each once; of more the list ends in how many there are ("+12"). Names that came from a
 * body are cut, and what may not stand in a header becomes a question mark.
 */
#ifndef MOONGATE_WIRE_TRANSLATE_DROPPED_H
#define MOONGATE_WIRE_TRANSLATE_DROPPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

#define DROPPED_MAX 48
#define DROPPED_NAME_BYTES 56

/* As a header has it. */
struct dropped_name {
    char text[DROPPED_NAME_BYTES];
    uint8_t len;
};

struct dropped {
    struct dropped_name names[DROPPED_MAX];
    size_t count;
    uint32_t more; /* there was no room for */
};

void dropped_add(struct dropped *d, struct slice name);
/* list[number].name; of an empty name the whole of it. list NULL: dropped_add(). */
void dropped_add_at(struct dropped *d, const char *list, uint32_t number, struct slice name);
static inline bool dropped_is_empty(const struct dropped *d)
{
    return d->count == 0;
}
/* With commas; nothing of an empty one. */
void dropped_write(const struct dropped *d, struct buf *out);

#endif
