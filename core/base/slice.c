#include "base/slice.h"

#include <strings.h>

bool slice_iequal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp(a.ptr, b.ptr, a.len) == 0);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct slice slice_trim(struct slice s)
{
    while (s.len && is_blank(s.ptr[0]))
        s.ptr++, s.len--;
    while (s.len && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

bool slice_to_u64(struct slice s, uint64_t *value)
{
    uint64_t sum = 0;
    if (s.len == 0) return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned char)s.ptr[i] - '0';
        if (digit > 9) return false;
        if (__builtin_mul_overflow(sum, (uint64_t)10, &sum)) return false;
        if (__builtin_add_overflow(sum, (uint64_t)digit, &sum)) return false;
    }
    *value = sum;
    return true;
}

struct slice slice_split(struct slice s, char at, struct slice *rest)
{
    const char *found = s.len ? memchr(s.ptr, at, s.len) : NULL;
    if (!found) {
        *rest = slice_of(s.len ? s.ptr + s.len : s.ptr, 0); /* of none there is no end */
        return s;
    }
    size_t head = (size_t)(found - s.ptr);
    *rest = slice_of(found + 1, s.len - head - 1);
    return slice_of(s.ptr, head);
}
