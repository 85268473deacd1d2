/*
 * What one tool is asked, as it comes: pieces of a JSON text inside JSON strings, for clients that take an object.
 *
 *     struct arguments a = {0};
 *     arguments_add(&a, text);                       // inside the quotes, escapes and all
 *     if (a.is_over) …                               // its object is closed: only blanks can follow
 *     if (!arguments_read(&a, &arena, &json)) …      // no object: cut, or none from the beginning
 *     arguments_clear(&a);
 *
 * Nothing at all is {}, nor are blanks more. Who adds bounds what it holds.
 */
#ifndef MOONGATE_WIRE_TRANSLATE_ARGUMENTS_H
#define MOONGATE_WIRE_TRANSLATE_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"

struct arguments {
    struct buf raw; /* a JSON string without its last quote */
    uint32_t depth; /* of what was decoded so far */
    bool is_string, is_escaped, is_over;
    bool has_any; /* that is no blank */
};

void arguments_add(struct arguments *a, struct slice text);
bool arguments_read(const struct arguments *a, struct arena *arena, struct slice *json);
/* The same of a text that stands inside the quotes of a JSON string, all of it; of nothing: false. */
bool arguments_parse(struct slice text, struct arena *arena, struct slice *json);
/* What was added. */
struct slice arguments_text(const struct arguments *a);
void arguments_clear(struct arguments *a);

#endif
