#include "base/utf8.h"

#include <string.h>

#ifdef __SSE2__
#include <tmmintrin.h>
#endif

size_t utf8_char_len(const unsigned char *p, size_t left)
{
    if (p[0] < 0x80) return 1;
    size_t len = p[0] >= 0xC2 && p[0] <= 0xDF ? 2 : (p[0] & 0xF0) == 0xE0 ? 3 : p[0] >= 0xF0 && p[0] <= 0xF4 ? 4 : 0;
    if (len == 0 || len > left) return 0;
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80) return 0;
    }
    if (p[0] == 0xE0 && p[1] < 0xA0) return 0;
    if (p[0] == 0xED && p[1] > 0x9F) return 0;
    if (p[0] == 0xF0 && p[1] < 0x90) return 0;
    if (p[0] == 0xF4 && p[1] > 0x8F) return 0;
    return len;
}

/* Length of the valid multi-byte character whose bytes are the low ones of w, 0 when there is none. The masks keep
 * the bits that RFC 3629 fixes; the last test of each line drops overlong forms, surrogates and what is too large. */
static size_t word_char_len(uint32_t w)
{
    uint32_t bits = w & 0x200F;
    if ((w & 0xC0C0F0) == 0x8080E0) return bits != 0 && bits != 0x200D ? 3 : 0;
    if ((w & 0xC0E0) == 0x80C0) return w & 0x1E ? 2 : 0;
    bits = w & 0x3007;
    if ((w & 0xC0C0C0F8) == 0x808080F0) return bits != 0 && (!(bits & 4) || bits == 4) ? 4 : 0;
    return 0;
}

static const unsigned char *skip_multibyte(const unsigned char *p, const unsigned char *end)
{
    size_t len = 0;
    while (end - p >= 4 && *p >= 0x80) {
        uint32_t w = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        len = word_char_len(w);
        if (len == 0) return p;
        p += len;
    }
    while (p < end && *p >= 0x80 && (len = utf8_char_len(p, (size_t)(end - p))) > 0)
        p += len;
    return p;
}

static const unsigned char *skip_ascii(const unsigned char *p, const unsigned char *end)
{
#ifdef __SSE2__
    for (; end - p >= 16; p += 16) {
        int high = _mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(const void *)p));
        if (high) return p + __builtin_ctz((unsigned)high);
    }
#endif
    while (p < end && *p < 0x80)
        p++;
    return p;
}

/* Where the first byte is that begins no valid character; end when all of it is valid. */
static const unsigned char *walk(const unsigned char *p, const unsigned char *end)
{
    while ((p = skip_ascii(p, end)) < end) {
        const unsigned char *after = skip_multibyte(p, end);
        if (after < end && *after >= 0x80) return after;
        p = after;
    }
    return end;
}

#ifdef __SSE2__

/*
 * Sixteen bytes at a time, after Keiser and Lemire, "Validating UTF-8 In Less Than One Instruction Per Byte" (2020):
 * three table look-ups, by the halves of each byte and of the one before it, leave a bit for each kind of error that
 * two neighbours can show; third and fourth bytes are then compared with the leads two and three before.
 */
enum {
    TOO_SHORT = 1 << 0, /* a lead without its continuation */
    TOO_LONG = 1 << 1,  /* a continuation behind ASCII */
    OVERLONG_3 = 1 << 2,
    TOO_LARGE = 1 << 3,
    SURROGATE = 1 << 4,
    OVERLONG_2 = 1 << 5,
    TOO_LARGE_1000 = 1 << 6, /* F5 and above, with 8x behind it */
    OVERLONG_4 = 1 << 6,
    TWO_CONTS = 1 << 7, /* right only where a longer character is under way */
    CARRY = TOO_SHORT | TOO_LONG | TWO_CONTS,
    LARGE = CARRY | TOO_LARGE | TOO_LARGE_1000,
    CONT = TOO_LONG | OVERLONG_2 | TWO_CONTS,
    CONT_8 = CONT | OVERLONG_3 | TOO_LARGE_1000 | OVERLONG_4,
    CONT_9 = CONT | OVERLONG_3 | TOO_LARGE,
    CONT_AB = CONT | SURROGATE | TOO_LARGE,
    LEAD_E = TOO_SHORT | OVERLONG_3 | SURROGATE,
    LEAD_F = TOO_SHORT | TOO_LARGE | TOO_LARGE_1000 | OVERLONG_4,
};

#define TABLE(...) _mm_loadu_si128((const __m128i *)(const void *)(const unsigned char[16]){__VA_ARGS__})

__attribute__((target("ssse3"))) static inline __m128i high_half(__m128i bytes)
{
    return _mm_and_si128(_mm_srli_epi16(bytes, 4), _mm_set1_epi8(0x0F));
}

/* Non-zero bytes where `now`, which follows `before`, is wrong. */
__attribute__((target("ssse3"))) static inline __m128i block_errors(__m128i before, __m128i now)
{
    const __m128i by_first_high =
        TABLE(TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TWO_CONTS, TWO_CONTS,
              TWO_CONTS, TWO_CONTS, TOO_SHORT | OVERLONG_2, TOO_SHORT, LEAD_E, LEAD_F);
    const __m128i by_first_low =
        TABLE(CARRY | OVERLONG_3 | OVERLONG_2 | OVERLONG_4, CARRY | OVERLONG_2, CARRY, CARRY, CARRY | TOO_LARGE, LARGE,
              LARGE, LARGE, LARGE, LARGE, LARGE, LARGE, LARGE, LARGE | SURROGATE, LARGE, LARGE);
    const __m128i by_second_high =
        TABLE(TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, CONT_8, CONT_9,
              CONT_AB, CONT_AB, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT);
    __m128i one_before = _mm_alignr_epi8(now, before, 15);
    __m128i pairs = _mm_shuffle_epi8(by_first_high, high_half(one_before));
    pairs = _mm_and_si128(pairs, _mm_shuffle_epi8(by_first_low, _mm_and_si128(one_before, _mm_set1_epi8(0x0F))));
    pairs = _mm_and_si128(pairs, _mm_shuffle_epi8(by_second_high, high_half(now)));
    __m128i third = _mm_subs_epu8(_mm_alignr_epi8(now, before, 14), _mm_set1_epi8(0xE0 - 0x80));
    __m128i fourth = _mm_subs_epu8(_mm_alignr_epi8(now, before, 13), _mm_set1_epi8((char)(0xF0 - 0x80)));
    __m128i must_continue = _mm_and_si128(_mm_or_si128(third, fourth), _mm_set1_epi8((char)0x80));
    return _mm_xor_si128(must_continue, pairs);
}

static inline __m128i load(const unsigned char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline bool is_ascii_64(const unsigned char *p)
{
    __m128i bytes = _mm_or_si128(_mm_or_si128(load(p), load(p + 16)), _mm_or_si128(load(p + 32), load(p + 48)));
    return _mm_movemask_epi8(bytes) == 0;
}

__attribute__((target("ssse3"))) static bool is_valid_ssse3(const unsigned char *p, size_t len)
{
    __m128i errors = _mm_setzero_si128(), before = _mm_setzero_si128();
    for (; len >= 16; p += 16, len -= 16) {
        __m128i now = load(p);
        if (_mm_movemask_epi8(_mm_or_si128(now, before))) {
            errors = _mm_or_si128(errors, block_errors(before, now));
        } else {
            /* ASCII behind ASCII needs no look-up, and more of it is likely to follow. */
            for (; len >= 80 && is_ascii_64(p + 16); p += 64)
                len -= 64;
        }
        before = now;
    }
    /* The zeros behind the last byte show a character that was not finished. */
    unsigned char rest[16] = {0};
    memcpy(rest, p, len);
    __m128i now = load(rest);
    errors = _mm_or_si128(errors, block_errors(before, now));
    return _mm_movemask_epi8(_mm_cmpeq_epi8(errors, _mm_setzero_si128())) == 0xFFFF;
}

static bool is_known_valid(struct slice s)
{
    return __builtin_cpu_supports("ssse3") && is_valid_ssse3((const unsigned char *)s.ptr, s.len);
}

#else

static bool is_known_valid(struct slice s)
{
    (void)s;
    return false;
}

#endif

size_t utf8_valid_len(struct slice s)
{
    if (s.len == 0 || is_known_valid(s)) return s.len;
    const unsigned char *first = (const unsigned char *)s.ptr;
    return (size_t)(walk(first, first + s.len) - first);
}

bool utf8_is_valid(struct slice s)
{
    return utf8_valid_len(s) == s.len;
}

struct slice utf8_cut(struct slice s, size_t max_bytes)
{
    if (s.len <= max_bytes) return s;
    size_t len = max_bytes;
    while (len > 0 && ((unsigned char)s.ptr[len] & 0xC0) == 0x80)
        len--;
    return slice_of(s.ptr, len);
}

size_t utf8_write(char to[4], uint32_t code_point)
{
    if (code_point < 0x80) {
        to[0] = (char)code_point;
        return 1;
    }
    size_t len = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = len - 1; i > 0; i--, code_point >>= 6)
        to[i] = (char)(0x80 | (code_point & 0x3F));
    to[0] = (char)(leads[len] | code_point);
    return len;
}
