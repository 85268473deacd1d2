#include "wire/detect_inner.h"

#define LABEL_BYTES 63u

/* A name does not begin with these, though they may stand in it. */
static bool is_trimmed(unsigned char c)
{
    return c == '.' || c == '\'' || c == '-' || c == '+' || c == '%';
}

size_t detect_local_start(const struct view *v, size_t i)
{
    size_t lowest = i - v->floor > LOCAL_BYTES ? i - LOCAL_BYTES : v->floor, from = i;
    while (from > lowest) {
        unsigned char c = v->text[from - 1];
        size_t len = c < 0x80 ? detect_class[c] & IS_LOCAL ? 1 : 0 : 0;
        if (c >= 0x80 && c < 0xC0 && from - lowest >= 2 && detect_letter_len(v->text[from - 2], c) == 2) len = 2;
        if (c >= 0x80 && c < 0xC0 && from - lowest >= 3 && detect_letter_len(v->text[from - 3], v->text[from - 2]) == 3)
            len = 3;
        if (len == 0) break;
        from -= len;
    }
    v->state->steps += i - from + 1;
    return from;
}

/* Bytes of the label character at i, 0 for none, LETTER_LATER when it has not come. */
static size_t label_char(const struct view *v, size_t i)
{
    int c = byte_at(v, i);
    if (c == AT_LATER) return LETTER_LATER;
    if (c >= 0x80) return detect_letter_at(v, i);
    return byte_is(c, IS_LABEL) ? 1 : 0;
}

/* Where a top-level domain that begins with this label ends: two letters or more, up to a hyphen or the label's end;
 * 0 when it cannot be one. */
static size_t top_level_end(const struct view *v, size_t from, size_t to)
{
    size_t letters = 0, i = from;
    if (to - from > LABEL_BYTES) return 0;
    if (to - from > 4 && memcmp(v->text + from, "xn--", 4) == 0) return v->text[to - 1] == '-' ? 0 : to;
    while (i < to && (v->text[i] >= 0x80 || byte_is(v->text[i], IS_ALPHA))) {
        if (v->text[i] < 0x80 || v->text[i] >= 0xC0) letters++;
        i++;
    }
    return letters >= 2 && (i == to || v->text[i] == '-') ? i : 0;
}

/* Walks the labels of a domain from `i`; in *end where the longest one that can stand as a whole ends, 0 for none. */
static enum found walk_domain(const struct view *v, size_t i, size_t *end)
{
    size_t limit = i + DOMAIN_BYTES, first = i;
    for (*end = 0;; i++) {
        size_t from = i, len;
        while ((len = label_char(v, i)) > 0 && len != LETTER_LATER && i + len <= limit)
            i += len;
        v->state->steps += i - from + 1;
        if (len == LETTER_LATER) return FOUND_LATER;
        if (len > 0 || i == from || i - from > LABEL_BYTES || v->text[from] == '-') break;
        size_t top = from > first ? top_level_end(v, from, i) : 0;
        if (top) *end = top;
        if (v->text[i - 1] == '-' || byte_at(v, i) != '.' || i == limit) break;
    }
    return *end ? FOUND_YES : FOUND_NO;
}

enum found detect_email(const struct view *v, size_t at, struct candidate *c)
{
    size_t from = detect_local_start(v, at);
    while (from < at && is_trimmed(v->text[from]))
        from++;
    if (from == at) return FOUND_NO;
    *c = (struct candidate){.from = from, .kind = DETECT_EMAIL};
    return walk_domain(v, at + 1, &c->to);
}
