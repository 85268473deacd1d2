/* The chunked coding: bodies, refusals, bounds, whatever the cuts. */
#include "../unit.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/chunked.h"

struct outcome {
    enum chunked_result result;
    struct buf body;
    size_t consumed;
    struct fault why;
};

/* One piece at an address of its own. True while the decoder wants more. */
static bool feed(struct chunked *c, struct slice piece, struct outcome *o)
{
    char *copy = mem_alloc(piece.len ? piece.len : 1);
    memcpy(copy, piece.ptr, piece.len);
    struct slice rest = slice_of(copy, piece.len), body;
    while ((o->result = chunked_next(c, &rest, &body, &o->why)) == CHUNKED_BODY) {
        EXPECT(body.len > 0);
        buf_append(&o->body, body);
    }
    o->consumed += piece.len - rest.len;
    mem_free(copy);
    return o->result == CHUNKED_MORE;
}

static void begin(struct chunked *c, struct outcome *o)
{
    chunked_init(c);
    buf_reset(&o->body);
    o->consumed = 0;
    o->why = (struct fault){0};
}

static void expect_same(const struct outcome *want, const struct outcome *got, struct slice input)
{
    if (want->result != got->result || want->consumed != got->consumed || strcmp(want->why.text, got->why.text) != 0 ||
        !slice_equal(buf_slice(&want->body), buf_slice(&got->body)))
        UNIT_FAIL("cuts matter for %.*s: %d \"%s\", whole %d \"%s\"", SLICE_FMT(input), got->result, got->why.text,
                  want->result, want->why.text);
}

static void feed_all(struct slice input, struct outcome *whole)
{
    struct chunked c;
    struct outcome other = {0};
    begin(&c, whole);
    feed(&c, input, whole);
    begin(&c, &other);
    for (size_t i = 0; i < input.len && feed(&c, slice_of(input.ptr + i, 1), &other);)
        i++;
    expect_same(whole, &other, input);
    for (size_t cut = 0; cut <= input.len; cut++) {
        begin(&c, &other);
        if (feed(&c, slice_of(input.ptr, cut), &other)) feed(&c, slice_of(input.ptr + cut, input.len - cut), &other);
        expect_same(whole, &other, input);
    }
    buf_clear(&other.body);
}

static const struct {
    struct slice input, body;
    size_t left; /* bytes after the end, which are not the decoder's */
} good[] = {
    {SLICE("0\r\n\r\n"), SLICE(""), 0},
    {SLICE("5\r\nhello\r\n0\r\n\r\n"), SLICE("hello"), 0},
    {SLICE("5\r\nhello\r\n000006\r\n world\r\n00\r\n\r\nGET /"), SLICE("hello world"), 5},
    {SLICE("A\r\n0123456789\r\na\r\nabcdefghij\r\n0\r\n\r\n"), SLICE("0123456789abcdefghij"), 0},
    {SLICE("2\r\n\r\n\r\n0\r\n\r\n"), SLICE("\r\n"), 0},
    {SLICE("1;a\r\nx\r\n1;a=b;c=\"d e\"\r\ny\r\n0;z\r\n\r\n"), SLICE("xy"), 0},
    {SLICE("1 \t;a\r\nx\r\n0\r\n\r\n"), SLICE("x"), 0},
    {SLICE("1\r\nx\r\n0\r\nA: b\r\nEmpty:\r\nX-Sum:\t\xc3\xa9 \r\n\r\n!"), SLICE("x"), 1},
};

static void bodies_are_decoded(void)
{
    struct outcome o = {0};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        feed_all(good[i].input, &o);
        EXPECT_INT(CHUNKED_END, o.result);
        EXPECT_SLICE(good[i].body, buf_slice(&o.body));
        EXPECT_INT(good[i].left, good[i].input.len - o.consumed);
    }
    buf_clear(&o.body);
}

static const struct {
    struct slice input;
    const char *text;
} bad[] = {
    {SLICE("\r\n"), "does not begin with its size"},
    {SLICE(" 5\r\nhello\r\n"), "does not begin with its size"},
    {SLICE("+5\r\nhello\r\n"), "does not begin with its size"},
    {SLICE("-1\r\n"), "does not begin with its size"},
    {SLICE(";a\r\n"), "does not begin with its size"},
    {SLICE("0x5\r\nhello\r\n"), "something else"},
    {SLICE("5h\r\nhello\r\n"), "something else"},
    {SLICE("5_\r\nhello\r\n"), "something else"},
    {SLICE("5\nhello\r\n"), "something else"},
    {SLICE("5\0\r\nhello\r\n"), "something else"},
    {SLICE("5 \r\nhello\r\n"), "blanks"},
    {SLICE("5\t\r\nhello\r\n"), "blanks"},
    {SLICE("5 5\r\nhello\r\n"), "blanks"},
    {SLICE("5\rhello\r\n"), "CR without LF"},
    {SLICE("5\r\r\nhello\r\n"), "CR without LF"},
    {SLICE("5;a\nhello\r\n"), "control character"},
    {SLICE("5;a\rb\r\nhello\r\n"), "CR without LF"},
    {SLICE("5;a\0b\r\nhello\r\n"), "control character"},
    {SLICE("5\r\nhello!\r\n"), "longer than its size"},
    {SLICE("5\r\nhello\n0\r\n\r\n"), "longer than its size"},
    {SLICE("5\r\nhello\r0\r\n\r\n"), "CR without LF"},
    {SLICE("5\r\nhello0\r\n\r\n"), "longer than its size"},
    {SLICE("8000000000000000\r\n"), "too large"},
    {SLICE("ffffffffffffffff\r\n"), "too large"},
    {SLICE("10000000000000005\r\n"), "too large"},
    {SLICE("00000000000000005\r\n"), "too large"},
    {SLICE("0\r\n X: a\r\n\r\n"), "begin with a name"},
    {SLICE("0\r\n: a\r\n\r\n"), "begin with a name"},
    {SLICE("0\r\n\n"), "begin with a name"},
    {SLICE("0\r\nX : a\r\n\r\n"), "token before a colon"},
    {SLICE("0\r\nX\r\n\r\n"), "token before a colon"},
    {SLICE("0\r\nX: a\r\n b\r\n\r\n"), "begin with a name"},
    {SLICE("0\r\nX: a\n\r\n"), "control character"},
    {SLICE("0\r\nX: a\rb\r\n\r\n"), "CR without LF"},
    {SLICE("0\r\nX: a\0\r\n\r\n"), "control character"},
    {SLICE("0\r\n\rX"), "CR without LF"},
};

static void ambiguity_is_refused(void)
{
    struct outcome o = {0};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        feed_all(bad[i].input, &o);
        if (o.result != CHUNKED_BAD || o.why.code != FAULT_BAD_REQUEST || !strstr(o.why.text, bad[i].text))
            UNIT_FAIL("row %zu: expected \"%s\", got %d \"%s\"", i, bad[i].text, o.result, o.why.text);
    }
    buf_clear(&o.body);
}

static void the_largest_size_is_understood(void)
{
    struct chunked c;
    struct fault why;
    struct slice input = SLICE("7fffffffffffffff\r\nx"), body;
    chunked_init(&c);
    EXPECT_INT(CHUNKED_BODY, chunked_next(&c, &input, &body, &why));
    EXPECT_SLICE(SLICE("x"), body);
    EXPECT(c.left == (uint64_t)INT64_MAX - 1);
}

static void fill(struct buf *b, char ch, size_t count)
{
    memset(buf_reserve(b, count), ch, count);
    buf_grew(b, count);
}

static void expect_result(struct buf *input, enum chunked_result result, const char *text)
{
    struct chunked c;
    struct outcome o = {0};
    begin(&c, &o);
    feed(&c, buf_slice(input), &o);
    EXPECT_INT(result, o.result);
    if (!strstr(o.why.text, text)) UNIT_FAIL("expected \"%s\" in \"%s\"", text, o.why.text);
    buf_clear(&o.body);
    buf_clear(input);
}

static void extensions_are_bounded(void)
{
    for (size_t over = 0; over <= 1; over++) {
        struct buf b = {0};
        buf_append(&b, SLICE("1;"));
        fill(&b, 'x', LIMIT_CHUNK_EXT_BYTES - 1 + over);
        buf_append(&b, SLICE("\r\nx\r\n0\r\n\r\n"));
        expect_result(&b, over ? CHUNKED_BAD : CHUNKED_END, over ? "limit of 256 bytes" : "");
    }
    struct buf b = {0};
    fill(&b, '1', 1);
    fill(&b, ' ', LIMIT_CHUNK_EXT_BYTES + 1);
    expect_result(&b, CHUNKED_BAD, "limit of 256 bytes");
}

static void extensions_of_many_chunks_are_bounded(void)
{
    struct buf b = {0};
    for (size_t i = 0; i <= LIMIT_CHUNK_EXT_TOTAL_BYTES / 2; i++)
        buf_append(&b, SLICE("1;a\r\nx\r\n"));
    expect_result(&b, CHUNKED_BAD, "limit of 65536 bytes");
}

static void trailers_are_bounded(void)
{
    struct buf b = {0};
    buf_append(&b, SLICE("0\r\nX:"));
    fill(&b, 'x', LIMIT_TRAILERS_BYTES + 1);
    expect_result(&b, CHUNKED_BAD, "limit of 8192 bytes");
    buf_append(&b, SLICE("0\r\n"));
    for (size_t i = 0; i <= LIMIT_TRAILERS_COUNT; i++)
        buf_append(&b, SLICE("X:\r\n"));
    expect_result(&b, CHUNKED_BAD, "limit of 32 trailers");
}

static void chunk_heads_are_hexadecimal(void)
{
    char text[CHUNKED_HEAD_BYTES];
    static const struct {
        uint64_t len;
        const char *text;
    } rows[] = {{1, "1\r\n"},   {9, "9\r\n"},         {10, "a\r\n"},
                {16, "10\r\n"}, {0xBEEF, "beef\r\n"}, {UINT64_MAX, "ffffffffffffffff\r\n"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        EXPECT_SLICE(slice_str(rows[i].text), slice_of(text, chunked_head(text, rows[i].len)));
}

static void what_is_encoded_is_decoded(void)
{
    struct buf b = {0};
    struct outcome o = {0};
    char text[CHUNKED_HEAD_BYTES];
    for (size_t len = 1; len < 5000; len = len * 3 + 1) {
        buf_append(&b, slice_of(text, chunked_head(text, len)));
        fill(&b, 'x', len);
        buf_append(&b, CHUNKED_TAIL);
    }
    buf_append(&b, CHUNKED_LAST);
    struct chunked c;
    begin(&c, &o);
    feed(&c, buf_slice(&b), &o);
    EXPECT_INT(CHUNKED_END, o.result);
    EXPECT_INT(1 + 4 + 13 + 40 + 121 + 364 + 1093 + 3280, buf_len(&o.body));
    buf_clear(&b);
    buf_clear(&o.body);
}

int main(void)
{
    RUN(bodies_are_decoded);
    RUN(ambiguity_is_refused);
    RUN(the_largest_size_is_understood);
    RUN(extensions_are_bounded);
    RUN(extensions_of_many_chunks_are_bounded);
    RUN(trailers_are_bounded);
    RUN(chunk_heads_are_hexadecimal);
    RUN(what_is_encoded_is_decoded);
    return unit_close("chunked");
}
