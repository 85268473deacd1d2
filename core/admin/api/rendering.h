/*
 * What a version of a prompt comes to with such values: no call, nothing kept.
 *
 *     char field[RENDERING_FIELD_BYTES], message[RENDERING_TEXT_BYTES];
 *     struct rendering_ask ask = {name, SLICE("2.1.0"), content, SLICE("{\"tone\":\"plain\"}")};
 *     if (!rendering_write(&ask, &out, field, message)) …      // "tone", "it is not one of …"
 *
 * Appends {"messages":[{"role":"user","content":"…"}]}. Content and variables are JSON.
 */
#ifndef MOONGATE_ADMIN_API_RENDERING_H
#define MOONGATE_ADMIN_API_RENDERING_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

#define RENDERING_FIELD_BYTES 80u
#define RENDERING_TEXT_BYTES 400u

struct rendering_ask {
    struct slice name, version, content, variables;
};

/* False: `field` and `message` say which value is wrong, and how; an empty field: it is none of them. */
bool rendering_write(const struct rendering_ask *ask, struct buf *out, char field[RENDERING_FIELD_BYTES],
                     char message[RENDERING_TEXT_BYTES]);

#endif
