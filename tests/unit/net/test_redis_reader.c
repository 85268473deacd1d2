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
    RUN(noise_is_survived);
    RUN(what_waits_is_bounded);
    return unit_close("redis_reader");
}
