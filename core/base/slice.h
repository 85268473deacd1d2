/*
 * A borrowed run of bytes: pointer and length, never NUL-terminated, never owned.
 *
 *     struct slice name = SLICE("content-type");
 *     if (slice_iequal(header->name, name)) ...
 *     printf("%.*s", SLICE_FMT(header->value));
 */
#ifndef MOONGATE_BASE_SLICE_H
#define MOONGATE_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *ptr;
    size_t len;
};

#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})
#define SLICE_NONE ((struct slice){NULL, 0})
#define SLICE_FMT(s) (int)(s).len, (s).ptr ? (s).ptr : ""

static inline struct slice slice_of(const char *ptr, size_t len)
{
    return (struct slice){ptr, len};
}

/* NULL becomes the empty slice. */
static inline struct slice slice_str(const char *text)
{
    return (struct slice){text, text ? strlen(text) : 0};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool slice_starts(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

/* Equal but for ASCII case. */
bool slice_iequal(struct slice a, struct slice b);
/* Without leading and trailing spaces and tabs. */
struct slice slice_trim(struct slice s);
/* Decimal digits only, no sign, no overflow; false and *value untouched otherwise. */
bool slice_to_u64(struct slice s, uint64_t *value);
/* Everything before the first `at`, and in *rest what follows it; all of s, and an empty rest, when there is none. */
struct slice slice_split(struct slice s, char at, struct slice *rest);

#endif
