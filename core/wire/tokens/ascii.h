/*
 * Pieces of text that is ASCII, as most is: the classes of 64 bytes at once, one bit each,
 * and a piece is a run of bits.
 *
 *     struct ascii_block b = {0};
 *     size_t len = ascii_piece(&b, p, end, is_o200k);    // 0: not this one; ask piece_end_…()
 *
 * The same pieces as pieces.h finds. One is found here only when what ends it is ASCII too and stands in the block, so
 * that nothing behind `end` could make it another. The block is read anew when less than a usual piece is left of it.
 */
#ifndef MOONGATE_WIRE_TOKENS_ASCII_H
#define MOONGATE_WIRE_TOKENS_ASCII_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ASCII_BYTES_MIN 16u  /* of less text it does not pay to read a block */
#define ASCII_AT_MAX 56u     /* what begins behind this is looked for in the next block at once … */
#define ASCII_AT_AGAIN 32u   /* … and behind this when it was not found */
#define ASCII_INLINE static inline __attribute__((always_inline))

/* Bit n is of base[n]; the last one is never set, so that every run ends. Of the classes in classes.h, for ASCII. */
struct ascii_block {
    const unsigned char *base; /* NULL: nothing was read yet */
    uint64_t known;            /* ASCII, and before the text's end */
    uint64_t upper, lower, number, space, line;
    uint64_t letters, symbols; /* upper and lower; what is known and none of all these */
    uint64_t led;              /* a space or a symbol that a letter follows: one piece with its word */
};

/* The block at p, where p < end. */
void ascii_read(struct ascii_block *b, const unsigned char *p, const unsigned char *end);

ASCII_INLINE unsigned ascii_run(uint64_t bits)
{
    return (unsigned)__builtin_ctzll(~bits);
}

ASCII_INLINE bool ascii_has(uint64_t bits, unsigned at)
{
    return bits >> at & 1;
}

/* Letters from `from` on; `at` is the piece's begin. What an apostrophe adds to a word is not looked for here. */
ASCII_INLINE size_t ascii_word(const struct ascii_block *b, unsigned at, unsigned from, bool is_o200k)
{
    unsigned end = from;
    if (is_o200k) end += ascii_run(b->upper >> end);
    end += ascii_run((is_o200k ? b->lower : b->letters) >> end);
    if (!ascii_has(b->known, end) || (is_o200k && b->base[end] == '\'')) return 0;
    return end - at;
}

ASCII_INLINE size_t ascii_number(const struct ascii_block *b, unsigned at)
{
    unsigned len = ascii_run(b->number >> at);
    if (len >= 3) return 3;
    return ascii_has(b->known, at + len) ? len : 0;
}

/* Symbols from `from` on, and the line ends that follow them. */
ASCII_INLINE size_t ascii_symbols(const struct ascii_block *b, unsigned at, unsigned from, bool is_o200k)
{
    unsigned end = from + ascii_run(b->symbols >> from);
    while (ascii_has(b->line, end) || (is_o200k && ascii_has(b->known, end) && b->base[end] == '/'))
        end++;
    return ascii_has(b->known, end) ? end - at : 0;
}

ASCII_INLINE size_t ascii_space(const struct ascii_block *b, unsigned at)
{
    unsigned len = ascii_run((b->space | b->line) >> at);
    if (!ascii_has(b->known, at + len)) return 0;
    uint64_t lines = b->line >> at & (((uint64_t)1 << len) - 1);
    if (lines) return 64 - (size_t)__builtin_clzll(lines);
    return len > 1 ? len - 1 : len;
}

ASCII_INLINE size_t ascii_piece_at(const struct ascii_block *b, unsigned at, bool is_o200k)
{
    unsigned is_led = ascii_has(b->led, at);
    if (!is_o200k && b->base[at] == '\'') return 0; /* a contraction is a piece of its own */
    if (is_led || ascii_has(b->letters, at)) return ascii_word(b, at, at + is_led, is_o200k);
    if (ascii_has(b->number, at)) return ascii_number(b, at);
    if (!ascii_has(b->line, at)) {
        if (!ascii_has(b->known, at + 1)) return 0;
        unsigned from = at + (b->base[at] == ' ');
        if (ascii_has(b->symbols, from)) return ascii_symbols(b, at, from, is_o200k);
    }
    return ascii_space(b, at);
}

ASCII_INLINE size_t ascii_piece(struct ascii_block *b, const unsigned char *p, const unsigned char *end, bool is_o200k)
{
    size_t at = b->base ? (size_t)(p - b->base) : SIZE_MAX, len = 0;
    if (*p >= 0x80) return 0;
    if (at <= ASCII_AT_MAX && ((len = ascii_piece_at(b, (unsigned)at, is_o200k)) || at <= ASCII_AT_AGAIN)) return len;
    if ((size_t)(end - p) < ASCII_BYTES_MIN) return 0;
    ascii_read(b, p, end);
    return ascii_piece_at(b, 0, is_o200k);
}

#endif
