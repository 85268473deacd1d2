#include "wire/tokens/ascii.h"

#include <string.h>

#include "wire/tokens/classes.h"

#define BLOCK 64u

#ifdef __SSE2__
#include <emmintrin.h>

/* All ones in the bytes of first to first + span. */
static inline __m128i is_within(__m128i bytes, char first, char span)
{
    __m128i off = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
    return _mm_cmpeq_epi8(_mm_min_epu8(off, _mm_set1_epi8(span)), off);
}

static inline __m128i is_byte(__m128i bytes, char byte)
{
    return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte));
}

static inline __m128i is_line(__m128i bytes)
{
    return _mm_or_si128(is_byte(bytes, '\n'), is_byte(bytes, '\r'));
}

static inline __m128i is_white(__m128i bytes)
{
    return _mm_or_si128(is_within(bytes, '\t', '\r' - '\t'), is_byte(bytes, ' '));
}

static inline uint64_t bits_of(__m128i bytes)
{
    return (uint64_t)(unsigned)_mm_movemask_epi8(bytes);
}

/* One bit a byte of all four. */
#define BITS(test, ...) \
    (bits_of(test(v[0], ##__VA_ARGS__)) | bits_of(test(v[1], ##__VA_ARGS__)) << 16 | \
     bits_of(test(v[2], ##__VA_ARGS__)) << 32 | bits_of(test(v[3], ##__VA_ARGS__)) << 48)
#define ITSELF(bytes) (bytes)

static void classify(struct ascii_block *b, const unsigned char *p)
{
    __m128i v[4];
    memcpy(v, p, sizeof v);
    b->known = ~BITS(ITSELF);
    b->upper = BITS(is_within, 'A', 'Z' - 'A');
    b->lower = BITS(is_within, 'a', 'z' - 'a');
    b->number = BITS(is_within, '0', '9' - '0');
    b->line = BITS(is_line);
    b->space = BITS(is_white) & ~b->line;
}

#else

static void classify(struct ascii_block *b, const unsigned char *p)
{
    *b = (struct ascii_block){.base = b->base};
    for (unsigned at = 0; at < BLOCK; at++) {
        unsigned char class = class_of_byte[p[at]];
        b->upper |= (uint64_t)(class == CLASS_UPPER) << at;
        b->lower |= (uint64_t)(class == CLASS_LOWER) << at;
        b->number |= (uint64_t)(class == CLASS_NUMBER) << at;
        b->space |= (uint64_t)(class == CLASS_SPACE) << at;
        b->line |= (uint64_t)(class == CLASS_BREAK) << at;
        b->known |= (uint64_t)(class != CLASS_END) << at;
    }
}

#endif

/* Only the first so many bits stay. */
static void cut(struct ascii_block *b, size_t len)
{
    uint64_t mask = ((uint64_t)1 << len) - 1;
    b->known &= mask;
    b->upper &= mask;
    b->lower &= mask;
    b->number &= mask;
    b->space &= mask;
    b->line &= mask;
}

void ascii_read(struct ascii_block *b, const unsigned char *p, const unsigned char *end)
{
    size_t left = (size_t)(end - p);
    b->base = p;
    if (left >= BLOCK) {
        classify(b, p);
    } else {
        unsigned char padded[BLOCK] = {0};
        memcpy(padded, p, left);
        classify(b, padded);
    }
    cut(b, left < BLOCK - 1 ? left : BLOCK - 1);
    b->letters = b->upper | b->lower;
    b->symbols = b->known & ~(b->letters | b->number | b->space | b->line);
    b->led = (b->symbols | b->space) & b->letters >> 1;
}
