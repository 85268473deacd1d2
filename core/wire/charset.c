#include "wire/charset.h"

#include "base/utf8.h"

/* What texts have beside letters: tab, line ends, form feed, escape. */
static bool is_control(unsigned char c)
{
    return c < ' ' && c != '\t' && c != '\n' && c != '\v' && c != '\f' && c != '\r' && c != 0x1B;
}

static bool has_mark(struct slice bytes)
{
    return slice_starts(bytes, SLICE("\xFF\xFE")) || slice_starts(bytes, SLICE("\xFE\xFF")) ||
           slice_starts(bytes, slice_of("\0\0\xFE\xFF", 4));
}

/* Of mostly Latin text every other byte of UTF-16 is zero, of UTF-32 three of four. */
static bool is_spaced(struct slice bytes)
{
    size_t zeros[2] = {0};
    for (size_t i = 0; i < bytes.len; i++)
        zeros[i % 2] += bytes.ptr[i] == '\0';
    size_t most = zeros[zeros[1] > zeros[0]], half = bytes.len / 2;
    return half && most >= half - half / 4;
}

static bool has_control(struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (is_control((unsigned char)bytes.ptr[i])) return true;
    }
    return false;
}

static bool says_text(struct slice type)
{
    static const struct slice texts[] = {{"text/", 5}, {"application/json", 16}, {"application/x-ndjson", 20},
                                         {"application/xml", 15}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (type.len >= texts[i].len && slice_iequal(slice_of(type.ptr, texts[i].len), texts[i])) return true;
    }
    return false;
}

bool charset_is_foreign(struct slice bytes, struct slice type)
{
    bool is_utf8 = utf8_is_valid(bytes);
    bool is_wide = has_mark(bytes) || is_spaced(bytes);
    return is_wide || (!is_utf8 && (says_text(type) || !has_control(bytes)));
}
