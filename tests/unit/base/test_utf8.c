/* UTF-8: the vector check, the scalar one and the definition of RFC 3629 agree. */
#include "../unit.h"

#include "base/mem.h"
#include "base/utf8.h"

/* A copy of exact size, so that the sanitizers see a read beyond its end. */
static bool is_valid_alone(const char *bytes, size_t len)
{
    char *copy = mem_alloc(len + !len);
    memcpy(copy, bytes, len);
    bool is_valid = utf8_is_valid(slice_of(copy, len));
    mem_free(copy);
    return is_valid;
}

/* RFC 3629 section 4, written down by code point: encode, compare. */
static bool is_char(const unsigned char *p, size_t len)
{
    static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0}, masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t code = p[0] & masks[len];
    char again[4];
    if (len > 1 && (p[0] & ~masks[len]) != leads[len]) return false;
    for (size_t i = 1; i < len; i++)
        code = code << 6 | (p[i] & 0x3F);
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
    return utf8_write(again, code) == len && memcmp(again, p, len) == 0;
}

static void every_sequence_of_three_bytes_is_judged_right(void)
{
    unsigned char p[3];
    for (uint32_t n = 0; n < 1u << 24; n++) {
        p[0] = (unsigned char)(n >> 16), p[1] = (unsigned char)(n >> 8), p[2] = (unsigned char)n;
        if (p[0] < 0xC0) continue;
        size_t len = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
        if (len == 4) continue;
        size_t want = is_char(p, len) ? len : 0, got = utf8_char_len(p, 3);
        if (want != got) {
            EXPECT_INT(want, got);
            return;
        }
    }
}

/* Leads and continuations at every border of RFC 3629's table, at each place around a vector's edge. */
static void the_vector_check_agrees_with_the_scalar_one(void)
{
    static const unsigned char borders[] = {'a',  0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0,
                                            0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF,
                                            0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF7, 0xF8, 0xFF};
    enum { COUNT = sizeof borders };
    unsigned char text[40];
    for (uint32_t n = 0; n < COUNT * COUNT * COUNT * COUNT; n++) {
        size_t at = 11 + n % 7, end = at + 4;
        uint32_t rest = n;
        memset(text, 'x', sizeof text);
        for (size_t i = at; i < end; i++, rest /= COUNT)
            text[i] = borders[rest % COUNT];
        size_t p = at;
        while (p < end) {
            size_t len = utf8_char_len(text + p, sizeof text - p);
            if (len == 0) break;
            p += len;
        }
        bool want = p >= end;
        if (utf8_is_valid(slice_of((char *)text, sizeof text)) != want) {
            UNIT_FAIL("%02x %02x %02x %02x: expected %d", text[at], text[at + 1], text[at + 2], text[at + 3], want);
            return;
        }
    }
}

static void text_is_judged_at_every_length_and_offset(void)
{
    static const char text[] =
        "ascii before it, longer than one vector; é ß 漢字かな 😀🏳️‍🌈 и русский, then "
        "again ascii to the very end";
    size_t len = sizeof text - 1, next = 0;
    for (size_t cut = 0; cut <= len; cut++) {
        bool is_edge = cut == next;
        if (is_edge && cut < len) next += utf8_char_len((const unsigned char *)text + cut, len - cut);
        if (is_valid_alone(text, cut) != is_edge) UNIT_FAIL("prefix of %zu bytes: expected %d", cut, is_edge);
        if (is_valid_alone(text + cut, len - cut) != is_edge) UNIT_FAIL("suffix from %zu: expected %d", cut, is_edge);
    }
}

static void the_first_wrong_byte_is_named(void)
{
    char text[200];
    for (size_t at = 0; at < sizeof text; at++) {
        memset(text, 'a', sizeof text);
        text[at] = (char)0xFF;
        EXPECT_INT(at, utf8_valid_len(slice_of(text, sizeof text)));
    }
    EXPECT_INT(2, utf8_valid_len(SLICE("é\xE2\x82")));
    EXPECT_INT(0, utf8_valid_len(SLICE("\xED\xA0\x80")));
    EXPECT_INT(0, utf8_valid_len(SLICE_NONE));
}

static void long_ascii_does_not_hide_an_unfinished_character(void)
{
    char text[300];
    memset(text, 'a', sizeof text);
    for (size_t at = 0; at < sizeof text; at++) {
        text[at] = (char)0xC3;
        EXPECT(!utf8_is_valid(slice_of(text, sizeof text)));
        text[at] = 'a';
    }
    EXPECT(utf8_is_valid(slice_of(text, sizeof text)));
}

static void a_cut_never_ends_inside_a_character(void)
{
    struct slice s = SLICE("a€😀");
    static const size_t want[] = {0, 1, 1, 1, 4, 4, 4, 4, 8, 8};
    for (size_t max = 0; max < 10; max++)
        EXPECT_INT(want[max], utf8_cut(s, max).len);
}

static void every_character_is_read_as_it_was_written(void)
{
    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        char text[4];
        if (code >= 0xD800 && code <= 0xDFFF) continue;
        size_t len = utf8_write(text, code);
        if (utf8_code_point((const unsigned char *)text, len) != code) EXPECT_INT(0, code);
    }
}

int main(void)
{
    RUN(every_sequence_of_three_bytes_is_judged_right);
    RUN(the_vector_check_agrees_with_the_scalar_one);
    RUN(text_is_judged_at_every_length_and_offset);
    RUN(the_first_wrong_byte_is_named);
    RUN(long_ascii_does_not_hide_an_unfinished_character);
    RUN(a_cut_never_ends_inside_a_character);
    RUN(every_character_is_read_as_it_was_written);
    return unit_close("utf8");
}
