#include "wire/tokens/pieces.h"

#include "wire/tokens/classes.h"

/* ---- What both have. */

static bool is_letter(enum piece_class c)
{
    return c == CLASS_LOWER || c == CLASS_UPPER || c == CLASS_LETTER;
}

/* Bytes of (?i:'s|'t|'re|'ve|'m|'ll|'d) at p; 0: it is not there. Without regard to case U+017F is an s. */
static size_t contraction(const unsigned char *p, const unsigned char *end, bool *is_open)
{
    if (p == end || *p != '\'') {
        if (p == end) *is_open = true;
        return 0;
    }
    if (end - p < 3) *is_open = true;
    if (end - p < 2) return 0;
    unsigned char a = p[1] | 0x20;
    if (p[1] < 0x80 && (a == 's' || a == 't' || a == 'm' || a == 'd')) return 2;
    if (end - p < 3) return 0;
    if (p[1] == 0xC5 && p[2] == 0xBF) return 3;
    unsigned char b = p[2] | 0x20;
    bool is_two = p[1] < 0x80 && p[2] < 0x80 && (((a == 'r' || a == 'v') && b == 'e') || (a == 'l' && b == 'l'));
    return is_two ? 3 : 0;
}

/* \p{N}{1,3}, at a number */
static const unsigned char *number_end(const unsigned char *p, const unsigned char *end, bool *is_open)
{
    size_t len;
    for (int i = 0; i < 3; i++) {
        enum piece_class c = class_at(p, end, &len);
        if (c != CLASS_NUMBER) {
            if (c == CLASS_END) *is_open = true;
            return p;
        }
        p += len;
    }
    return p;
}

/* \s*[\r\n]+ | \s+(?!\S) | \s+, at white space: to the last line break; else all of it at the end of the text; else all
 * but the last, which belongs to what follows; else that one. */
static const unsigned char *space_end(const unsigned char *p, const unsigned char *end, bool *is_open)
{
    const unsigned char *at = p, *after_break = NULL, *last = p;
    enum piece_class c;
    size_t len;
    while ((c = class_at(at, end, &len)) == CLASS_SPACE || c == CLASS_BREAK) {
        last = at;
        at += len;
        if (c == CLASS_BREAK) after_break = at;
    }
    if (c == CLASS_END) *is_open = true;
    if (after_break) return after_break;
    return c == CLASS_END || last == p ? at : last;
}

/*  ?[^\s\p{L}\p{N}]+ with what may follow it: line breaks, and for o200k slashes too. NULL: it is not there. */
static const unsigned char *symbols_end(const unsigned char *p, const unsigned char *end, bool has_slash, bool *is_open)
{
    size_t len;
    const unsigned char *at = *p == ' ' ? p + 1 : p, *first = at;
    enum piece_class c = class_at(at, end, &len);
    for (; c == CLASS_OTHER || c == CLASS_MARK; c = class_at(at, end, &len))
        at += len;
    if (at == first) return NULL;
    while (at < end && (*at == '\r' || *at == '\n' || (has_slash && *at == '/')))
        at++;
    if (at == end) *is_open = true;
    return at;
}

/* ---- o200k_base:
 * [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?
 * |[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
 * |\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+ */

static const unsigned char *lower_end(const unsigned char *p, const unsigned char *end, bool *is_open)
{
    enum piece_class c;
    size_t len;
    while ((c = class_at(p, end, &len)) == CLASS_LOWER || c == CLASS_LETTER || c == CLASS_MARK)
        p += len;
    if (c == CLASS_END) *is_open = true;
    return p;
}

/* The letters at p as the first pattern takes them, or as the second does when only it can: capitals alone. *is_first
 * says which. */
static const unsigned char *word_end(const unsigned char *p, const unsigned char *end, bool *is_first, bool *is_open)
{
    const unsigned char *after_caseless = NULL;
    enum piece_class c;
    size_t len;
    while ((c = class_at(p, end, &len)) == CLASS_UPPER || c == CLASS_LETTER || c == CLASS_MARK) {
        p += len;
        if (c != CLASS_UPPER) after_caseless = p;
    }
    if (c == CLASS_END) *is_open = true;
    *is_first = c == CLASS_LOWER || after_caseless;
    if (c == CLASS_LOWER) return lower_end(p, end, is_open);
    return after_caseless ? after_caseless : p;
}

static const unsigned char *with_contraction(const unsigned char *p, const unsigned char *end, bool *is_open)
{
    return p + contraction(p, end, is_open);
}

/* At a character that may stand before a word, and is `len` long; NULL: no word follows, nor is it one. */
static const unsigned char *led_word_end(const unsigned char *p, const unsigned char *end, enum piece_class c,
                                         size_t len, bool *is_open)
{
    size_t next_len;
    enum piece_class next = class_at(p + len, end, &next_len);
    if (next == CLASS_END) *is_open = true;
    if (is_letter(next) || next == CLASS_MARK) {
        bool is_first;
        const unsigned char *after = word_end(p + len, end, &is_first, is_open);
        /* A mark before capitals alone is a word of its own to the first pattern,
         * which is tried whole before the second. */
        if (is_first || c != CLASS_MARK) return with_contraction(after, end, is_open);
    }
    return c == CLASS_MARK ? with_contraction(p + len, end, is_open) : NULL;
}

const unsigned char *piece_end_o200k(const unsigned char *p, const unsigned char *end, bool *is_open)
{
    size_t len;
    bool is_first;
    const unsigned char *after;
    enum piece_class c = class_at(p, end, &len);
    if (is_letter(c)) return with_contraction(word_end(p, end, &is_first, is_open), end, is_open);
    if (c == CLASS_NUMBER) return number_end(p, end, is_open);
    if (c != CLASS_BREAK) {
        if ((after = led_word_end(p, end, c, len, is_open))) return after;
        if ((after = symbols_end(p, end, true, is_open))) return after;
    }
    return space_end(p, end, is_open);
}

/* ---- cl100k_base:
 * (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
 * ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+ */

static const unsigned char *letters_end(const unsigned char *p, const unsigned char *end, bool *is_open)
{
    enum piece_class c;
    size_t len;
    while (is_letter(c = class_at(p, end, &len)))
        p += len;
    if (c == CLASS_END) *is_open = true;
    return p;
}

const unsigned char *piece_end_cl100k(const unsigned char *p, const unsigned char *end, bool *is_open)
{
    size_t len, next_len;
    const unsigned char *after;
    enum piece_class c = class_at(p, end, &len);
    if (is_letter(c)) return letters_end(p, end, is_open);
    if (c == CLASS_NUMBER) return number_end(p, end, is_open);
    if (*p == '\'' && (after = with_contraction(p, end, is_open)) > p) return after;
    if (c != CLASS_BREAK) {
        enum piece_class next = class_at(p + len, end, &next_len);
        if (next == CLASS_END) *is_open = true;
        if (is_letter(next)) return letters_end(p + len, end, is_open);
        if ((after = symbols_end(p, end, false, is_open))) return after;
    }
    return space_end(p, end, is_open);
}
