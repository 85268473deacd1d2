#include "base/visible.h"

#include "base/utf8.h"

#define ESCAPE 0x1B

static bool is_obeyed(uint32_t c)
{
    bool is_control = (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c <= 0x9F);
    bool is_direction = c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
                        (c >= 0x2066 && c <= 0x2069);
    return is_control || is_direction;
}

/* Does more have to come before it is known what these bytes are? */
static bool is_beginning(const unsigned char *p, size_t left)
{
    size_t wanted = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : p[0] >= 0xC2 ? 2 : 1;
    if (p[0] > 0xF4 || left >= wanted) return false;
    for (size_t i = 1; i < left; i++) {
        if ((p[i] & 0xC0) != 0x80) return false;
    }
    return true;
}

static bool is_own_number(const unsigned char *p, size_t len)
{
    return (len == 1 && p[0] <= '2') || (len == 2 && p[0] == '3' && p[1] <= '7');
}

enum colour { COLOUR_NONE, COLOUR_WHOLE, COLOUR_BEGUN };

/* ESC [ number (; number) m at p, of *len bytes. */
static enum colour colour_at(const unsigned char *p, size_t left, size_t *len)
{
    size_t i = 2, from = 2;
    if (left > 1 && p[1] != '[') return COLOUR_NONE;
    for (; i < left && i <= VISIBLE_TAIL_MAX; i++) {
        bool is_end = p[i] == 'm' || (p[i] == ';' && from == 2);
        if (is_end && !is_own_number(p + from, i - from)) return COLOUR_NONE;
        if (is_end && p[i] == 'm') {
            *len = i + 1;
            return COLOUR_WHOLE;
        }
        if (is_end) from = i + 1;
        if (!is_end && (p[i] < '0' || p[i] > '9')) return COLOUR_NONE;
    }
    return i <= VISIBLE_TAIL_MAX ? COLOUR_BEGUN : COLOUR_NONE;
}

size_t visible_append(struct buf *out, struct slice text, bool keeps_colours)
{
    size_t i = 0;
    while (i < text.len) {
        const unsigned char *p = (const unsigned char *)text.ptr + i;
        size_t len = utf8_char_len(p, text.len - i);
        enum colour colour = COLOUR_NONE;
        if (len == 0 && is_beginning(p, text.len - i)) break;
        if (keeps_colours && p[0] == ESCAPE) colour = colour_at(p, text.len - i, &len);
        if (colour == COLOUR_BEGUN) break;
        uint32_t c = len && colour == COLOUR_NONE ? utf8_code_point(p, len) : ' ';
        if (len == 0 || is_obeyed(c))
            buf_printf(out, "\\u%04x", len ? (unsigned)c : 0xFFFDu);
        else
            buf_append(out, slice_of(text.ptr + i, len));
        i += len ? len : 1;
    }
    return i;
}
