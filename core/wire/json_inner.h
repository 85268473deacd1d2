/*
 * The tape's node, shared by the parser (json_parse.c) and the readers (json.c). No one else includes this.
 */
#ifndef MOONGATE_WIRE_JSON_INNER_H
#define MOONGATE_WIRE_JSON_INNER_H

#include <stdint.h>

#include "base/limits.h"
#include "wire/json.h"

#define JSON_TYPE_MASK 7u
#define JSON_VALUE_ESCAPED 8u /* the string has a backslash */
#define JSON_KEY_ESCAPED 16u
#define JSON_LAST 32u      /* nothing follows it in its container */
#define JSON_AFTER_SHIFT 6 /* of a container: number of the first node behind it */

struct json_node {
    uint32_t start, end; /* the value's bytes, quotes and brackets included */
    uint32_t key; /* offset of the key's opening quote; JSON_NONE: no member. Where it ends is found backwards from
                   * start: nothing but spaces and the colon lie between */
    uint32_t meta;
};

_Static_assert(sizeof(struct json_node) == 16, "the tape is sized for this");
_Static_assert(LIMIT_JSON_NODES < 1u << (32 - JSON_AFTER_SHIFT), "node numbers must fit beside the flags");

#endif
