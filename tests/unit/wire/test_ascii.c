/* Pieces found by bits are those that the patterns' own scanners find, and never ones that could still grow. */
#include "../unit.h"

#include "wire/tokens/ascii.h"
#include "wire/tokens/classes.h"
#include "wire/tokens/pieces.h"

static uint64_t random_state = 88172645463325252ull;

static uint32_t next_random(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % below;
}

static void every_byte_has_its_class(void)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        for (unsigned at = 0; at < 63; at++) {
            unsigned char text[64] = {0};
            struct ascii_block b;
            text[at] = (unsigned char)byte;
            ascii_read(&b, text, text + 64);
            unsigned char class = class_of_byte[byte];
            EXPECT_INT(class == CLASS_UPPER, ascii_has(b.upper, at));
            EXPECT_INT(class == CLASS_LOWER, ascii_has(b.lower, at));
            EXPECT_INT(class == CLASS_NUMBER, ascii_has(b.number, at));
            EXPECT_INT(class == CLASS_SPACE, ascii_has(b.space, at));
            EXPECT_INT(class == CLASS_BREAK, ascii_has(b.line, at));
            EXPECT_INT(class == CLASS_OTHER, ascii_has(b.symbols, at));
            EXPECT_INT(class != CLASS_END, ascii_has(b.known, at));
        }
    }
}

static void nothing_is_known_behind_the_end(void)
{
    unsigned char text[64];
    memset(text, 'a', sizeof text);
    for (size_t len = 1; len <= 64; len++) {
        struct ascii_block b;
        ascii_read(&b, text, text + len);
        size_t known = len < 63 ? len : 63;
        EXPECT(b.known == ((uint64_t)1 << known) - 1);
        EXPECT(b.lower == b.known && b.letters == b.known && !b.symbols);
    }
}

/* How many pieces were found by bits, of all. */
struct seen {
    unsigned by_bits, all;
};

static void expect_pieces(const unsigned char *text, size_t len, piece_end_fn piece_end, bool is_o200k, struct seen *seen)
{
    const unsigned char *p = text, *end = text + len;
    struct ascii_block b = {.base = NULL};
    while (p < end) {
        bool is_open = false;
        const unsigned char *want = piece_end(p, end, &is_open);
        size_t got = ascii_piece(&b, p, end, is_o200k);
        if (got && (p + got != want || is_open)) {
            UNIT_FAIL("\"%.*s\" at %zu: %zu bytes, %zu by the pattern%s", (int)len, (const char *)text, (size_t)(p - text), got,
                      (size_t)(want - p), is_open ? ", which may grow" : "");
            return;
        }
        seen->by_bits += got > 0;
        seen->all++;
        p = want;
    }
}

static const char *const alphabets[] = {
    "abcdefghijklmnopqrstuvwxyz      ABCDEF'.,\n",
    "aA '",
    "ab'sStTrRvVlLdDmM' ",
    "a1234567890 .",
    "x =-+*/(){}[];\n\r\t ",
    "/\n\r/ x",
    "  \t\n\v\f\ra",
    "ab \xC3\xA9", /* cut between its bytes sometimes, and made whole below */
    "a\x01\x7F 9Z_",
};
#define ALPHABETS (sizeof alphabets / sizeof alphabets[0])

/* Letters of that alphabet, in runs; what is not ASCII becomes a whole character. */
static size_t make_text(unsigned char *text, size_t max, const char *alphabet)
{
    static const char *const others[] = {"\xC3\xA9", "\xE4\xB8\xAD", "\xCC\x81", "\xC2\xA0", "\xE2\x80\x94", "\xC5\xBF", "\xC2\xBD"};
    size_t len = 0;
    while (len + 8 < max) {
        unsigned char byte = (unsigned char)alphabet[next_random((uint32_t)strlen(alphabet))];
        const char *other = others[next_random(7)];
        size_t run = next_random(8) ? 1 : 1 + next_random(20);
        for (; run && len + 8 < max; run--) {
            size_t bytes = byte < 0x80 ? 1 : strlen(other);
            memcpy(text + len, byte < 0x80 ? (const char *)&byte : other, bytes);
            len += bytes;
        }
    }
    return len;
}

static void pieces_are_those_of_the_patterns(void)
{
    struct seen seen = {0, 0};
    for (unsigned round = 0; round < 40000; round++) {
        unsigned char text[200];
        size_t len = make_text(text, 9 + next_random(sizeof text - 9), alphabets[round % ALPHABETS]);
        expect_pieces(text, len, piece_end_o200k, true, &seen);
        expect_pieces(text, len, piece_end_cl100k, false, &seen);
    }
    EXPECT(seen.by_bits > seen.all / 2);
}

static void most_pieces_of_ordinary_text_are_found_by_bits(void)
{
    static const char text[] = "I have been looking at the report you sent on Tuesday, and I think the second half needs some work. "
                               "for (size_t i = 0; i < len; i++)\n    total += row[i].amount * 119 / 100;\n\nThanks; see you then.";
    struct seen seen = {0, 0};
    expect_pieces((const unsigned char *)text, sizeof text - 1, piece_end_o200k, true, &seen);
    expect_pieces((const unsigned char *)text, sizeof text - 1, piece_end_cl100k, false, &seen);
    EXPECT(seen.by_bits + 10 >= seen.all);
}

int main(void)
{
    RUN(every_byte_has_its_class);
    RUN(nothing_is_known_behind_the_end);
    RUN(pieces_are_those_of_the_patterns);
    RUN(most_pieces_of_ordinary_text_are_found_by_bits);
    return unit_close("ascii");
}
