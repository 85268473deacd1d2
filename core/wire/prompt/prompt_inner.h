/*
 * What a version's bytes look like; only wire/prompt includes it.
 *
 *     struct prompt_head | template | fields | names (opened, then apps) | pool
 */
#ifndef MOONGATE_WIRE_PROMPT_PROMPT_INNER_H
#define MOONGATE_WIRE_PROMPT_PROMPT_INNER_H

#include "wire/prompt/prompt.h"

#define PROMPT_MAGIC 0x3150474du /* "MGP1" */

struct prompt_text {
    uint32_t at, len; /* in the pool */
};

struct prompt_head {
    uint32_t magic, size;
    uint32_t major, minor, patch;
    uint32_t template_bytes, field_count, open_count, app_count, pool_bytes;
    struct prompt_text name, model, data;
    uint8_t sha256[PROMPT_SHA256_BYTES];
};

struct prompt_member {
    struct prompt_text name, json;
    uint32_t is_open, reserved;
};

_Static_assert(sizeof(struct prompt_head) % 8 == 0, "what follows is aligned");
_Static_assert(sizeof(struct prompt_member) % 8 == 0, "what follows is aligned");

#endif
