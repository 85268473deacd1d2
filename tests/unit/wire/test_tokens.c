/*
 * Token ids and counts: known texts as tiktoken encodes them, every cut of a text, texts that are not valid, and texts made
 * to be slow. make fuzz-tokens compares with tiktoken itself over many more.
 */
#include "../unit.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/tokens/counter.h"
#include "wire/tokens/tokens_inner.h"
#include "wire/tokens/merge.h"
#include "wire/tokens/ranked.h"

#define IDS_MAX 64

/* The number of ids, then the ids. From npm tiktoken 1.0.22, encode_ordinary(). */
static const struct known {
    const char *text;
    uint32_t o200k[IDS_MAX], cl100k[IDS_MAX];
} known[] = {
    {"",
     {0},
     {0}},
    {"a",
     {1, 64},
     {1, 64}},
    {"Hello, world!",
     {4, 13225, 11, 2375, 0},
     {4, 9906, 11, 1917, 0}},
    {"I'M don'T we'Re '\xC5\xBFx",
     {9, 40, 95346, 1700, 51532, 581, 146756, 461, 70067, 87},
     {10, 40, 28703, 1541, 17773, 584, 50527, 364, 129, 123, 87}},
    {"  leading and trailing  ",
     {5, 220, 8117, 326, 57985, 256},
     {5, 220, 6522, 323, 28848, 256}},
    {"line\r\n\r\n\tindented\n",
     {6, 1137, 1414, 197, 521, 23537, 198},
     {6, 1074, 881, 197, 485, 16243, 198}},
    {"ABCdef ABC\xE4\xB8\xAD" "def \xE4\xB8\xAD\xE6\x96\x87 \xE3\x81\xB2\xE3\x82\x89\xE3\x81\x8C\xE3\x81\xAA",
     {11, 44197, 1314, 33047, 1404, 1314, 83711, 220, 60922, 8870, 6632, 5784},
     {13, 26484, 755, 19921, 16325, 755, 73958, 17161, 220, 2243, 110, 33503, 29295, 26854}},
    {"12345678 \xD9\xA1\xD9\xA2\xD9\xA3\xD9\xA4 \xE2\x85\xA7\xC2\xBD",
     {12, 7633, 19354, 4388, 220, 46600, 53184, 81473, 98713, 220, 25371, 100, 27124},
     {16, 4513, 10961, 2495, 220, 149, 94, 149, 95, 149, 96, 149, 97, 220, 71567, 100, 27154}},
    {"a\xCC\x81" "b\xCC\x81 \xCC\x81\xCC\x81 e\xCC\x81" "E",
     {10, 64, 13430, 65, 13430, 220, 13430, 13430, 319, 13430, 36},
     {10, 64, 54939, 65, 54939, 220, 54939, 54939, 384, 54939, 36}},
    {"\xEF\xBB\xBF\xEF\xBB\xBF" "a\xEF\xBB\xBF\xC2\x85\xC2\xA0" "b",
     {7, 135153, 64, 5574, 126, 227, 5310, 65},
     {8, 3305, 3305, 64, 3305, 126, 227, 4194, 65}},
    {"x==/\n//\r\n/",
     {5, 87, 560, 124040, 370, 14},
     {5, 87, 419, 6018, 14342, 14}},
    {"\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7\xE2\x80\x8D\xF0\x9F\x91\xA6\xF0\x9F\x91\x8D\xF0\x9F\x8F\xBD\xF0\x9F\x87\xA9\xF0\x9F\x87\xAA",
     {18, 28823, 101, 2524, 28823, 102, 2524, 28823, 100, 2524, 28823, 99, 82514, 52622, 121, 55506, 102, 55506, 103},
          {30, 9468, 239, 101, 378, 235, 9468, 239, 102, 378, 235, 9468, 239, 100, 378, 235, 9468, 239, 99, 9468,
      239, 235, 9468, 237, 121, 9468, 229, 102, 9468, 229, 103}},
    {"<|endoftext|><|im_start|>",
     {12, 27, 91, 419, 1440, 919, 91, 3784, 91, 321, 10949, 91, 29},
     {12, 27, 91, 8862, 728, 428, 91, 1822, 91, 318, 5011, 91, 29}},
    {"\xC5\xBF'\xC5\xBF's'S",
     {5, 70067, 6, 70067, 885, 31233},
     {7, 129, 123, 6, 129, 123, 596, 13575}},
    {"\xED\x95\x9C\xEA\xB5\xAD\xEC\x96\xB4 \xE0\xB8\xA0\xE0\xB8\xB2\xE0\xB8\xA9\xE0\xB8\xB2\xE0\xB9\x84\xE0\xB8\x97\xE0\xB8\xA2 \xE0\xA4\xB9\xE0\xA4\xBF\xE0\xA4\xA8\xE0\xA5\x8D\xE0\xA4\xA6\xE0\xA5\x80",
     {5, 114854, 5959, 126146, 20619, 191681},
          {20, 24486, 89059, 255, 32179, 220, 3098, 254, 21437, 3098, 102, 21437, 50856, 36984, 35609, 85410, 43411,
      101, 31584, 99, 44747}},
    {"SELECT * FROM t;\n\n    return x;\n",
     {9, 9974, 425, 8519, 260, 502, 271, 622, 1215, 307},
     {9, 4963, 353, 4393, 259, 401, 262, 471, 865, 280}},
    {" \xE3\x80\x80\xE2\x80\x83\n \t x",
     {5, 16884, 33203, 198, 14593, 1215},
     {7, 220, 23249, 378, 225, 198, 7163, 865}},
    {"\xC7\x85ungla \xCA\xB0" "ello",
     {8, 131, 227, 988, 1675, 220, 134, 108, 6053},
     {8, 131, 227, 2234, 4355, 220, 134, 108, 4896}},
    {"\xF0\x9E\xA4\x80\xF0\x9E\xA4\xA2 \xF4\x8F\xBF\xBF",
     {13, 172, 252, 97, 222, 172, 252, 97, 95, 220, 176, 237, 123, 123},
     {13, 172, 252, 97, 222, 172, 252, 97, 95, 220, 176, 237, 123, 123}},
};
#define KNOWN (sizeof known / sizeof known[0])

static const struct vocabulary *o200k(void)
{
    return vocabulary_at(0);
}

static void expect_ids(const struct vocabulary *v, struct slice text, const uint32_t *want)
{
    uint32_t got[IDS_MAX];
    size_t count = token_encode(v, text, got, IDS_MAX);
    EXPECT_INT(want[0], count);
    EXPECT_INT(want[0], token_count(v, text));
    for (size_t i = 0; i < count && i < want[0]; i++) {
        if (got[i] != want[i + 1]) UNIT_FAIL("%s: \"%.*s\": id %zu: expected %u, got %u", vocabulary_name(v), SLICE_FMT(text), i, want[i + 1], got[i]);
    }
}

static void known_texts_have_their_ids(void)
{
    for (size_t i = 0; i < KNOWN; i++) {
        expect_ids(vocabulary_at(0), slice_str(known[i].text), known[i].o200k);
        expect_ids(vocabulary_at(1), slice_str(known[i].text), known[i].cl100k);
    }
}

static void vocabularies_are_found_by_name(void)
{
    EXPECT(vocabulary_find(SLICE("o200k_base")) == vocabulary_at(0));
    EXPECT(vocabulary_find(SLICE("cl100k_base")) == vocabulary_at(1));
    EXPECT(!vocabulary_find(SLICE("p50k_base")));
    EXPECT(!vocabulary_find(SLICE("")));
    EXPECT_STR("cl100k_base", vocabulary_name(vocabulary_at(1)));
    EXPECT(vocabulary_bytes(vocabulary_at(0)) + vocabulary_bytes(vocabulary_at(1)) <= 16u << 20);
}

/* ---- Pieces. */

static uint64_t count_cut(const struct vocabulary *v, struct slice text, size_t first, size_t step)
{
    struct token_counter c;
    token_counter_init(&c, v);
    token_counter_feed(&c, slice_of(text.ptr, first));
    for (size_t at = first; at < text.len; at += step) {
        size_t len = step < text.len - at ? step : text.len - at;
        token_counter_feed(&c, slice_of(text.ptr + at, len));
    }
    uint64_t count = token_counter_total(&c);
    token_counter_clear(&c);
    return count;
}

static void expect_cuts(struct slice text)
{
    for (unsigned i = 0; i < VOCABULARIES; i++) {
        const struct vocabulary *v = vocabulary_at(i);
        uint64_t whole = token_count(v, text);
        for (size_t step = 1; step < 9; step++) {
            uint64_t got = count_cut(v, text, 0, step);
            if (got != whole) UNIT_FAIL("%s in steps of %zu: %" PRIu64 ", whole %" PRIu64, vocabulary_name(v), step, got, whole);
        }
        for (size_t cut = 0; cut <= text.len; cut++) {
            uint64_t got = count_cut(v, text, cut, text.len + 1);
            if (got != whole) UNIT_FAIL("%s cut at %zu: %" PRIu64 ", whole %" PRIu64, vocabulary_name(v), cut, got, whole);
        }
    }
}

static void a_text_counts_the_same_however_it_is_cut(void)
{
    struct buf all;
    buf_init(&all);
    for (size_t i = 0; i < KNOWN; i++) {
        expect_cuts(slice_str(known[i].text));
        buf_append(&all, slice_str(known[i].text));
    }
    expect_cuts(buf_slice(&all));
    buf_clear(&all);
}

/* ---- Bytes that are no UTF-8. */

static void expect_as(struct slice bytes, const char *repaired)
{
    for (unsigned i = 0; i < VOCABULARIES; i++) {
        uint32_t want[IDS_MAX], got[IDS_MAX];
        size_t count = token_encode(vocabulary_at(i), slice_str(repaired), want, IDS_MAX);
        EXPECT_INT(count, token_encode(vocabulary_at(i), bytes, got, IDS_MAX));
        EXPECT(memcmp(want, got, count * sizeof *want) == 0);
        EXPECT_INT(count, token_count(vocabulary_at(i), bytes));
    }
    expect_cuts(bytes);
}

static void what_is_no_character_counts_as_the_replacement_character(void)
{
#define FFFD "\xEF\xBF\xBD"
    expect_as(SLICE("a\xFF" "b"), "a" FFFD "b");
    expect_as(SLICE("\xC3"), FFFD);
    expect_as(SLICE("\xE4\xB8"), FFFD);             /* the beginning of a character is one */
    expect_as(SLICE("\xE4\xB8z"), FFFD "z");
    expect_as(SLICE("\xF0\x9F\x98"), FFFD);
    expect_as(SLICE("\xC0\x80"), FFFD FFFD);        /* overlong */
    expect_as(SLICE("\xED\xA0\x80"), FFFD FFFD FFFD); /* a surrogate, encoded */
    expect_as(SLICE("\xF5\x80\x80\x80"), FFFD FFFD FFFD FFFD);
    expect_as(SLICE("x\xE2\x82 y\x80\x80"), "x" FFFD " y" FFFD FFFD);
    expect_as(SLICE("\xF4\x90\x80\x80 \xE0\x9F\xBF"), FFFD FFFD FFFD FFFD " " FFFD FFFD FFFD);
#undef FFFD
}

/* ---- Long texts. */

static struct buf repeated(struct slice unit, size_t bytes)
{
    struct buf text;
    buf_init(&text);
    while (buf_len(&text) + unit.len <= bytes)
        buf_append(&text, unit);
    return text;
}

static uint64_t random_state = 88172645463325252ull;

static uint32_t next_random(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % below;
}

/* In order of rank and by longest matches: the same ids. */
static void both_ways_of_merging_agree(void)
{
    static const char *const alphabets[] = {"ab", "=", "=-", "abcdefghijklmnopqrstuvwxyz", "eiou nrst", "\xE4\xB8\x80\xAD\xE5\x9B\xBD"};
    unsigned char piece[700];
    uint32_t one[sizeof piece], other[sizeof piece];
    for (int round = 0; round < 3000; round++) {
        const char *alphabet = alphabets[next_random(6)];
        size_t len = 1 + next_random(round % 10 == 0 ? sizeof piece : 40);
        for (size_t i = 0; i < len; i++)
            piece[i] = (unsigned char)alphabet[next_random((uint32_t)strlen(alphabet))];
        for (unsigned v = 0; v < VOCABULARIES; v++) {
            size_t count = merge_piece(vocabulary_at(v), piece, len, one);
            EXPECT_INT(count, ranked_merge(vocabulary_at(v), piece, len, other));
            if (memcmp(one, other, count * sizeof *one) != 0) UNIT_FAIL("%.*s: other ids", (int)len, (char *)piece);
        }
    }
}

static void long_runs_are_counted_and_cut(void)
{
    static const char *const units[] = {"a", " ", "=", "/", "\xE4\xB8\xAD", "Ab", "\n", "\xF0\x9F\x98\x80", "\xFF", "\xE4\xB8\xAD" "ABCDEFGH"};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        struct buf text = repeated(slice_str(units[i]), 1000000);
        uint64_t whole = token_count(o200k(), buf_slice(&text));
        EXPECT(whole > 0 && whole <= buf_len(&text) * 3);
        EXPECT_INT(whole, count_cut(o200k(), buf_slice(&text), 0, 4001));
        buf_clear(&text);
    }
}

/* An unbroken run, a few bytes at a time: what waits stays bounded, and is not read over and over. */
static void a_run_fed_in_small_pieces_holds_a_bounded_tail(void)
{
    struct token_counter c;
    size_t most = 0;
    token_counter_init(&c, o200k());
    for (int i = 0; i < 250000; i++) {
        token_counter_feed(&c, SLICE("aaaa"));
        if (buf_len(&c.tail) > most) most = buf_len(&c.tail);
    }
    EXPECT(most <= 2 * LIMIT_TOKEN_PIECE_BYTES);
    struct buf whole = repeated(SLICE("a"), 1000000);
    EXPECT_INT(token_count(o200k(), buf_slice(&whole)), token_counter_total(&c));
    for (int i = 0; i < 20000; i++)
        token_counter_feed(&c, SLICE(" word"));
    EXPECT(buf_len(&c.tail) < 16);
    EXPECT(token_counter_settled(&c) < token_counter_total(&c));
    buf_clear(&whole);
    token_counter_clear(&c);
}

/* What made the tail long is counted; the few bytes behind it must not hold its memory for the rest of a stream. */
static void a_tail_that_was_long_gives_its_memory_back(void)
{
    for (unsigned i = 0; i < VOCABULARIES; i++) {
        struct token_counter c;
        struct buf text;
        buf_init(&text);
        for (unsigned n = 0; n < 50000; n++)
            buf_append(&text, n % 2 ? SLICE(" word") : SLICE("\xFF w"));
        token_counter_init(&c, vocabulary_at(i));
        token_counter_feed(&c, SLICE("It"));
        token_counter_feed(&c, buf_slice(&text));
        EXPECT(buf_len(&c.tail) > 0 && c.tail.cap <= 1024);
        token_counter_feed(&c, SLICE(" ends"));
        EXPECT(c.tail.cap <= 1024);
        struct buf whole;
        buf_init(&whole);
        buf_append(&whole, SLICE("It"));
        buf_append(&whole, buf_slice(&text));
        buf_append(&whole, SLICE(" ends"));
        EXPECT_INT(token_count(vocabulary_at(i), buf_slice(&whole)), token_counter_total(&c));
        token_counter_clear(&c);
        buf_clear(&whole);
        buf_clear(&text);
    }
}

static void more_ids_than_there_is_room_for_are_only_counted(void)
{
    uint32_t ids[3] = {0, 0, 77};
    EXPECT_INT(4, token_encode(o200k(), SLICE("Hello, world!"), ids, 2));
    EXPECT_INT(77, ids[2]);
    EXPECT_INT(4, token_encode(o200k(), SLICE("Hello, world!"), NULL, 0));
}

int main(void)
{
    RUN(known_texts_have_their_ids);
    RUN(vocabularies_are_found_by_name);
    RUN(a_text_counts_the_same_however_it_is_cut);
    RUN(what_is_no_character_counts_as_the_replacement_character);
    RUN(both_ways_of_merging_agree);
    RUN(long_runs_are_counted_and_cut);
    RUN(a_run_fed_in_small_pieces_holds_a_bounded_tail);
    RUN(a_tail_that_was_long_gives_its_memory_back);
    RUN(more_ids_than_there_is_room_for_are_only_counted);
    return unit_close("tokens");
}
