#include "wire/detect_inner.h"

/* Two letters of the country and the length of its IBANs, separators not counted. Source: SWIFT IBAN Registry. */
static const struct {
    char country[3];
    unsigned char len;
} countries[] = {
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22}, {"BH", 22},
    {"BI", 27}, {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24}, {"DE", 22}, {"DJ", 27},
    {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29}, {"ES", 24}, {"FI", 18}, {"FK", 18}, {"FO", 18}, {"FR", 27},
    {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27}, {"GT", 28}, {"HR", 21}, {"HU", 28}, {"IE", 22},
    {"IL", 23}, {"IQ", 23}, {"IS", 26}, {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20}, {"LB", 28}, {"LC", 32},
    {"LI", 21}, {"LT", 20}, {"LU", 20}, {"LV", 21}, {"LY", 25}, {"MC", 27}, {"MD", 24}, {"ME", 22}, {"MK", 19},
    {"MN", 20}, {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NI", 28}, {"NL", 18}, {"NO", 15}, {"OM", 23}, {"PK", 24},
    {"PL", 28}, {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22}, {"RU", 33}, {"SA", 24}, {"SC", 31},
    {"SD", 18}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"SO", 23}, {"ST", 25}, {"SV", 28}, {"TL", 23},
    {"TN", 24}, {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20}, {"YE", 30},
};

static unsigned char upper(unsigned char c)
{
    return c >= 'a' && c <= 'z' ? (unsigned char)(c & ~0x20) : c;
}

static unsigned country_len(unsigned char a, unsigned char b)
{
    for (size_t i = 0; i < sizeof countries / sizeof countries[0]; i++) {
        if (countries[i].country[0] == upper(a) && countries[i].country[1] == upper(b)) return countries[i].len;
    }
    return 0;
}

/* The remainder by 97 when one more character is put behind the number; letters count 10 to 35. */
static unsigned remainder_with(unsigned remainder, unsigned char c)
{
    if (byte_is(c, IS_DIGIT)) return (remainder * 10 + (c - '0')) % 97;
    return (remainder * 100 + (upper(c) - 'A' + 10u)) % 97;
}

/* ISO 13616: the first four characters go to the end, the rest of the division by 97 is 1. */
static bool has_right_check_digits(const unsigned char *chars, size_t count)
{
    unsigned remainder = 0;
    for (size_t i = 4; i < count; i++)
        remainder = remainder_with(remainder, chars[i]);
    for (size_t i = 0; i < 4; i++)
        remainder = remainder_with(remainder, chars[i]);
    return remainder == 1;
}

#define SEPARATOR_LATER 9u

/* Length of the one separator between printed groups of four, 0 for none; SEPARATOR_LATER: that cannot be told yet. */
static size_t separator_len(const struct view *v, size_t i)
{
    int a = byte_at(v, i);
    if (a == ' ' || a == '-') return 1;
    if (a != 0xC2 && a != 0xE2) return 0;
    int b = byte_at(v, i + 1), c = a == 0xE2 && b >= 0 ? byte_at(v, i + 2) : AT_END;
    if (b == AT_LATER || c == AT_LATER) return SEPARATOR_LATER;
    if (a == 0xC2) return b == 0xA0 ? 2 : 0;
    /* U+2000 to U+200A, U+2010 to U+2015, U+202F */
    bool is = b == 0x80 && ((c >= 0x80 && c <= 0x8A) || (c >= 0x90 && c <= 0x95) || c == 0xAF);
    return is ? 3 : 0;
}

/* Collects `count` letters and digits from `from`; in *end what follows them. All fours are set apart, or none. */
static enum found collect(const struct view *v, size_t from, unsigned char *chars, unsigned count, size_t *end)
{
    size_t i = from;
    bool is_apart = false;
    for (unsigned n = 0; n < count; n++, i++) {
        bool is_four = n % 4 == 0 && n > 0;
        size_t len = is_four ? separator_len(v, i) : 0;
        if (byte_at(v, i) == AT_LATER || len == SEPARATOR_LATER) return FOUND_LATER;
        if (n == 4) is_apart = len > 0;
        if (is_four && is_apart != (len > 0)) return FOUND_NO;
        i += len;
        int c = byte_at(v, i);
        if (c == AT_LATER) return FOUND_LATER;
        if (!byte_is(c, IS_ALNUM)) return FOUND_NO;
        chars[n] = (unsigned char)c;
    }
    *end = i;
    return FOUND_YES;
}

enum found detect_iban(const struct view *v, size_t at, struct candidate *c)
{
    unsigned char chars[40];
    if (at < v->floor + 2) return FOUND_NO;
    size_t from = at - 2;
    if (!byte_is(v->text[from], IS_ALPHA) || !byte_is(v->text[from + 1], IS_ALPHA)) return FOUND_NO;
    if (detect_is_word_before(v, from, 0)) return FOUND_NO;
    unsigned count = country_len(v->text[from], v->text[from + 1]);
    if (count == 0) return FOUND_NO;
    *c = (struct candidate){.from = from, .kind = DETECT_IBAN};
    enum found found = collect(v, from, chars, count, &c->to);
    v->state->steps += count;
    if (found != FOUND_YES) return found;
    if (!byte_is(chars[2], IS_DIGIT) || !byte_is(chars[3], IS_DIGIT)) return FOUND_NO;
    if (!has_right_check_digits(chars, count)) return FOUND_NO;
    enum found word = detect_is_word_at(v, c->to);
    return word == FOUND_LATER ? FOUND_LATER : word == FOUND_YES ? FOUND_NO : FOUND_YES;
}
