/* Replies made of bytes, however these come. */
#include "net/redis_inner.h"

#include <stdlib.h>

#include "../unit.h"

static const char sample[] = "*4\r\n:-9223372036854775808\r\n*3\r\n$4\r\na\r\nb\r\n$-1\r\n*-1\r\n*0\r\n-READONLY no\r\n"
                             "+OK\r\n$0\r\n\r\n:12\r\n";

static void expect_sample(const struct redis_reply *r, unsigned number)
{
    if (number == 1) EXPECT_SLICE(SLICE("OK"), r->text);
    if (number == 2) EXPECT(r->kind == REDIS_TEXT && r->text.len == 0);
    if (number == 3) EXPECT_INT(12, r->integer);
    if (number) return;
    EXPECT_INT(4, r->count);
    EXPECT_INT(INT64_MIN, r->items[0].integer);
    EXPECT_SLICE(SLICE("a\r\nb"), r->items[1].items[0].text);
    EXPECT_INT(REDIS_NIL, r->items[1].items[1].kind);
    EXPECT_INT(REDIS_NIL, r->items[1].items[2].kind);
    EXPECT_INT(REDIS_ARRAY, r->items[2].kind);
    EXPECT_INT(REDIS_READONLY, r->items[3].error);
}

static unsigned take(struct redis_reader *rd, unsigned seen)
{
    const struct redis_reply *reply;
    struct fault why = {0};
    while (redis_reader_next(rd, &reply, &why) == REDIS_READ_REPLY)
        expect_sample(reply, seen++);
    EXPECT_STR("", why.text);
    return seen;
}

static void pieces_make_the_same(void)
{
    for (size_t size = 1; size < sizeof sample; size++) {
        struct redis_reader *rd = redis_reader_new();
        unsigned seen = 0;
        for (size_t at = 0; at < sizeof sample - 1; at += size) {
            size_t left = sizeof sample - 1 - at;
            redis_reader_feed(rd, slice_of(sample + at, left < size ? left : size));
            seen = take(rd, seen);
        }
        EXPECT_INT(4, seen);
        redis_reader_free(rd);
    }
}

static bool is_deep_enough(unsigned depth)
{
    struct redis_reader *rd = redis_reader_new();
    const struct redis_reply *reply;
    struct fault why = {0};
    for (unsigned i = 0; i < depth; i++)
        redis_reader_feed(rd, SLICE("*1\r\n"));
    redis_reader_feed(rd, SLICE(":1\r\n"));
    bool is_good = redis_reader_next(rd, &reply, &why) == REDIS_READ_REPLY;
    redis_reader_free(rd);
    return is_good;
}

static void depth_is_bounded(void)
{
    EXPECT(is_deep_enough(7));
    EXPECT(!is_deep_enough(9));
    EXPECT(!is_deep_enough(1000));
}

/* ---- Random replies: written as text, and as bytes that are cut anywhere. */

static size_t below(size_t bound)
{
    return (size_t)random() % bound;
}

static void write_length(struct buf *to, char type, int64_t length)
{
    buf_printf(to, "%c%" PRId64 "\r\n", type, length);
}

static void write_line(struct buf *to, char type)
{
    static const char signs[] = "ABC xyz:$*+-09\t\x80\xff";
    buf_append_char(to, type);
    for (size_t len = below(200); len; len--)
        buf_append_char(to, signs[below(sizeof signs - 1)]);
    buf_append(to, SLICE("\r\n"));
}

static void write_text(struct buf *to)
{
    size_t len = below(10) ? below(50) : below(40000);
    write_length(to, '$', (int64_t)len);
    for (; len; len--)
        buf_append_char(to, "\r\n$*0a"[below(6)]);
    buf_append(to, SLICE("\r\n"));
}

static void write_reply(struct buf *to, unsigned depth)
{
    static const int64_t numbers[] = {0, -1, 1, 42, INT64_MAX, INT64_MIN, INT64_MAX - 1};
    size_t kind = below(depth < 7 ? 7 : 6), count = below(6);
    switch (kind) {
    case 0: write_line(to, '+'); return;
    case 1: write_line(to, '-'); return;
    case 2: write_length(to, ':', numbers[below(7)]); return;
    case 3: write_length(to, below(2) ? '$' : '*', -1); return;
    case 4:
    case 5: write_text(to); return;
    default: break;
    }
    write_length(to, '*', (int64_t)count);
    while (count--)
        write_reply(to, depth + 1);
}

static void describe(struct buf *to, const struct redis_reply *r)
{
    buf_printf(to, "%d %d %" PRId64 " %zu %zu ", r->kind, r->error, r->integer, r->text.len, r->count);
    buf_append(to, r->text);
    for (size_t i = 0; i < r->count; i++)
        describe(to, &r->items[i]);
}

/* What the reader makes of these bytes, in pieces of random sizes: 0: all at once. */
static size_t read_all(struct slice bytes, size_t piece_max, struct buf *seen)
{
    struct redis_reader *rd = redis_reader_new();
    const struct redis_reply *reply;
    struct fault why = {0};
    enum redis_read found = REDIS_READ_MORE;
    size_t count = 0;
    for (size_t at = 0; at < bytes.len && found != REDIS_READ_BAD;) {
        size_t len = piece_max ? 1 + below(piece_max) : bytes.len;
        if (len > bytes.len - at) len = bytes.len - at;
        redis_reader_feed(rd, slice_of(bytes.ptr + at, len));
        for (at += len; (found = redis_reader_next(rd, &reply, &why)) == REDIS_READ_REPLY; count++)
            describe(seen, reply);
    }
    if (found == REDIS_READ_BAD) buf_append(seen, SLICE("bad")); /* for which of its reasons may depend on the cuts */
    redis_reader_free(rd);
    return count;
}

static void cuts_make_no_difference(void)
{
    static const size_t sizes[] = {1, 2, 7, 100, 5000};
    srandom(11);
    for (unsigned round = 0; round < 300; round++) {
        struct buf bytes, whole, cut;
        size_t count = 1 + below(30);
        buf_init(&bytes);
        buf_init(&whole);
        buf_init(&cut);
        for (size_t i = 0; i < count; i++)
            write_reply(&bytes, 0);
        EXPECT_INT(count, read_all(buf_slice(&bytes), 0, &whole));
        EXPECT_INT(count, read_all(buf_slice(&bytes), sizes[round % 5], &cut));
        EXPECT(slice_equal(buf_slice(&whole), buf_slice(&cut)));
        buf_clear(&bytes);
        buf_clear(&whole);
        buf_clear(&cut);
    }
}

/* A byte of good replies is another one: what comes is other replies, or a refusal, and the same wherever it is cut. */
static void harm_makes_no_difference_to_cuts(void)
{
    srandom(12);
    for (unsigned round = 0; round < 3000; round++) {
        struct buf bytes, whole, cut;
        buf_init(&bytes);
        buf_init(&whole);
        buf_init(&cut);
        for (size_t i = 0; i < 3; i++)
            write_reply(&bytes, 0);
        for (size_t i = 0; i < 1 + below(3); i++)
            buf_ptr(&bytes)[below(buf_len(&bytes))] = below(2) ? (char)random() : "$*:+-\r\n019"[below(10)];
        size_t count = read_all(buf_slice(&bytes), 0, &whole);
        EXPECT_INT(count, read_all(buf_slice(&bytes), 1 + below(50), &cut));
        EXPECT(slice_equal(buf_slice(&whole), buf_slice(&cut)));
        buf_clear(&bytes);
        buf_clear(&whole);
        buf_clear(&cut);
    }
}

/* Whatever comes of it: it ends, and within its memory. */
static void noise_is_survived(void)
{
    static const char *const words[] = {"*",  "$", ":",    "+",  "-",  "\r\n", "1",     "9",  "-1",        "*2\r\n",
                                        "$3\r\n", "abc\r\n", "%", "_", "\n", "\r", "*70000\r\n", "\0", "$99999999\r\n"};
    srandom(7);
    for (unsigned round = 0; round < 20000; round++) {
        struct redis_reader *rd = redis_reader_new();
        const struct redis_reply *reply;
        struct fault why = {0};
        enum redis_read found = REDIS_READ_MORE;
        for (unsigned i = 0; i < 40 && found != REDIS_READ_BAD; i++) {
            const char *word = words[(size_t)random() % (sizeof words / sizeof *words)];
            redis_reader_feed(rd, slice_of(word, *word ? strlen(word) : 1));
            while ((found = redis_reader_next(rd, &reply, &why)) == REDIS_READ_REPLY)
                continue;
        }
        redis_reader_free(rd);
    }
}

static void what_waits_is_bounded(void)
{
    static char text[KIB];
    struct redis_reader *rd = redis_reader_new();
    const struct redis_reply *reply;
    struct fault why = {0};
    size_t fed = 0;
    memset(text, 'x', sizeof text);
    redis_reader_feed(rd, SLICE("$2000000000\r\n"));
    while (redis_reader_next(rd, &reply, &why) == REDIS_READ_MORE && fed < 2 * LIMIT_REDIS_REPLY_BYTES) {
        redis_reader_feed(rd, slice_of(text, sizeof text));
        fed += sizeof text;
    }
    EXPECT(fed <= LIMIT_REDIS_REPLY_BYTES + sizeof text);
    redis_reader_free(rd);
}

int main(void)
{
    RUN(pieces_make_the_same);
    RUN(depth_is_bounded);
    RUN(cuts_make_no_difference);
    RUN(harm_makes_no_difference_to_cuts);
    RUN(noise_is_survived);
    RUN(what_waits_is_bounded);
    return unit_close("redis_reader");
}
