/*
 * The tape's node, shared by the parser (json_parse.c) and the readers (json.c), and what a string is scanned by, in
 * skim.c too. No one else includes this.
 */
#ifndef MOONGATE_WIRE_JSON_INNER_H
#define MOONGATE_WIRE_JSON_INNER_H

#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

typedef const unsigned char *json_at;

/* Bytes that a string may hold as they are, backslash and quote not among them. UTF-8 is checked before. */
static inline bool json_is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

/* To the first byte that is not json_is_plain(), or the end. */
static inline json_at json_skip_plain(json_at p, json_at end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1F);
    for (; end - p >= 16; p += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i stops = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)),
                                     _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes));
        int mask = _mm_movemask_epi8(stops);
        if (mask) return p + __builtin_ctz((unsigned)mask);
    }
#endif
    while (p < end && json_is_plain(*p))
        p++;
    return p;
}

#endif
