/*
 * Characters that are seen otherwise than they stand. Source: Unicode 15, UnicodeData.txt (general category Nd, and
 * compatibility decompositions of letters to ASCII), DerivedCoreProperties.txt (Default_Ignorable_Code_Point).
 */
#include "wire/sight_inner.h"

#include "base/utf8.h"

#ifdef __SSE2__
#include <immintrin.h>
#endif

/* The zeros of all alphabets: nine digits follow each. */
static const uint32_t zeros[] = {
    0x0660,  0x06F0,  0x07C0,  0x0966,  0x09E6,  0x0A66,  0x0AE6,  0x0B66,  0x0BE6,  0x0C66,  0x0CE6,
    0x0D66,  0x0DE6,  0x0E50,  0x0ED0,  0x0F20,  0x1040,  0x1090,  0x17E0,  0x1810,  0x1946,  0x19D0,
    0x1A80,  0x1A90,  0x1B50,  0x1BB0,  0x1C40,  0x1C50,  0xA620,  0xA8D0,  0xA900,  0xA9D0,  0xA9F0,
    0xAA50,  0xABF0,  0xFF10,  0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450,
    0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x11F50, 0x16A60,
    0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E4F0, 0x1E950,
    0x1FBF0,
};
#define ZEROS (sizeof zeros / sizeof zeros[0])

/* Ranges of what shows nothing. */
static const uint32_t nothing[][2] = {
    {0x00AD, 0x00AD}, {0x034F, 0x034F}, {0x061C, 0x061C}, {0x115F, 0x1160}, {0x17B4, 0x17B5},   {0x180B, 0x180F},
    {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x206F}, {0x3164, 0x3164}, {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},
    {0xFFA0, 0xFFA0}, {0xE0000, 0xE0FFF},
};
#define NOTHINGS (sizeof nothing / sizeof nothing[0])

/* D9, DB, DF, E0, EA, F0: digits; C2, CD, D8, E2, E3, F3: what shows nothing; E1, EF: both; E2 and EF: hyphens too. */
const unsigned char sight_lead[256] = {
    [0xC2] = 1, [0xCD] = 1, [0xD8] = 1, [0xD9] = 1, [0xDB] = 1, [0xDF] = 1, [0xE0] = 1, [0xE1] = 1,
    [0xE2] = 1, [0xE3] = 1, [0xEA] = 1, [0xEF] = 1, [0xF0] = 1, [0xF3] = 1,
};

static unsigned digit_of(uint32_t c)
{
    size_t low = 0, high = ZEROS;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zeros[middle] <= c) low = middle + 1;
        else high = middle;
    }
    return low && c - zeros[low - 1] < 10 ? '0' + (c - zeros[low - 1]) : SIGHT_ITSELF;
}

static bool shows_nothing(uint32_t c)
{
    for (size_t i = 0; i < NOTHINGS && nothing[i][0] <= c; i++) {
        if (c <= nothing[i][1]) return true;
    }
    return false;
}

/* Letters, and the signs that numbers, addresses and placeholders are made of. Commas, colons and stops of full width
 * end a sentence rather. */
static unsigned full_width(uint32_t c)
{
    static const char signs[] = "()+-./@[]_";
    unsigned plain = c - 0xFF01 + '!';
    bool is_letter = (plain | 0x20) >= 'a' && (plain | 0x20) <= 'z';
    return is_letter || (plain < 0x80 && strchr(signs, (int)plain)) ? plain : SIGHT_ITSELF;
}

/* U+1D400 to U+1D6A3: thirteen alphabets of 52 letters. */
static unsigned mathematical(uint32_t c)
{
    unsigned letter = (c - 0x1D400) % 52;
    return letter < 26 ? 'A' + letter : 'a' + letter - 26;
}

static unsigned hyphen_or_at(uint32_t c)
{
    if ((c >= 0x2010 && c <= 0x2012) || c == 0x2212 || c == 0xFE63) return '-';
    return c == 0xFE6B ? '@' : SIGHT_ITSELF;
}

unsigned sight_fold(uint32_t c)
{
    if (c >= 0x2013 && c < 0x202A) return SIGHT_ITSELF; /* dashes, quotes and dots of prose: by far the most frequent */
    if (shows_nothing(c)) return SIGHT_NOTHING;
    unsigned digit = digit_of(c);
    if (digit != SIGHT_ITSELF) return digit;
    if (c >= 0xFF01 && c <= 0xFF5E) return full_width(c);
    if (c >= 0x1D400 && c <= 0x1D6A3) return mathematical(c);
    return hyphen_or_at(c);
}

/* ---- Is there anything of the kind? Nearly all texts are asked this, and say no. */

static bool is_other_at(const unsigned char *p, size_t left)
{
    if (*p == '\\') return true;
    if (!sight_lead[*p]) return false;
    unsigned len = sight_char_len(*p);
    return left < len || sight_fold(utf8_code_point(p, len)) != SIGHT_ITSELF;
}

#ifdef __SSE2__

/* Bit i: byte i begins a character outside ASCII, or is a backslash. */
__attribute__((target("avx2"))) static uint32_t of_note(const unsigned char *p)
{
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i begins = _mm256_cmpeq_epi8(_mm256_max_epu8(v, _mm256_set1_epi8((char)0xC2)), v);
    return (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(begins, _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\'))));
}

/* From i on, as far as whole blocks go; *is_other when something was found. */
__attribute__((target("avx2"))) static size_t look_over(const unsigned char *text, size_t i, size_t len, bool *is_other)
{
    const __m256i backslash = _mm256_set1_epi8('\\');
    for (; i + 128 <= len; i += 128) {
        const __m256i *p = (const __m256i *)(const void *)(text + i);
        __m256i a = _mm256_loadu_si256(p), b = _mm256_loadu_si256(p + 1);
        __m256i c = _mm256_loadu_si256(p + 2), d = _mm256_loadu_si256(p + 3);
        __m256i high = _mm256_or_si256(_mm256_or_si256(a, b), _mm256_or_si256(c, d));
        __m256i is = _mm256_or_si256(
            _mm256_or_si256(_mm256_cmpeq_epi8(a, backslash), _mm256_cmpeq_epi8(b, backslash)),
            _mm256_or_si256(_mm256_cmpeq_epi8(c, backslash), _mm256_cmpeq_epi8(d, backslash)));
        if (!_mm256_movemask_epi8(_mm256_or_si256(high, is))) continue;
        for (size_t at = i; at < i + 128; at += 32) {
            for (uint32_t bits = of_note(text + at); bits; bits &= bits - 1) {
                size_t place = at + (unsigned)__builtin_ctz(bits);
                if ((*is_other = is_other_at(text + place, len - place))) return i;
            }
        }
    }
    return i;
}

#endif

bool sight_is_other(struct slice text)
{
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    bool is_other = false;
    size_t i = 0;
#ifdef __SSE2__
    if (__builtin_cpu_supports("avx2")) i = look_over(bytes, 0, text.len, &is_other);
#endif
    for (; i < text.len && !is_other; i++)
        is_other = is_other_at(bytes + i, text.len - i);
    return is_other;
}
