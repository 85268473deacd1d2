/* AWS's frames: those that its own codec writes (tests/data/bedrock), whole and cut at every byte; and hostile ones. */
#include "../files.h"
#include "../unit.h"

#include "framing.h"

#include "base/limits.h"

struct seen {
    struct buf names;   /* ":event-type payload" of each message, a line each */
    unsigned count, most; /* most: then nobody hears more */
};

static bool on_message(void *arg, const struct eventstream_message *m)
{
    struct seen *seen = arg;
    struct slice name = SLICE_NONE;
    if (!eventstream_header(m, SLICE(":event-type"), &name)) eventstream_header(m, SLICE(":exception-type"), &name);
    buf_printf(&seen->names, "%.*s %zu\n", SLICE_FMT(name), m->payload.len);
    return ++seen->count < seen->most;
}

/* All of it, in pieces of `step` bytes (0: at once) and cut at `at`. True: it is good so far. */
static bool run(struct slice input, size_t step, size_t at, struct seen *seen, struct fault *why, size_t *held)
{
    struct eventstream *es = eventstream_new();
    bool is_good = true;
    *seen = (struct seen){.most = seen->most ? seen->most : 1000};
    why->code = FAULT_NONE;
    for (size_t from = 0, len; is_good && from < input.len; from += len) {
        len = step ? step : from < at ? at - from : input.len - from;
        if (len > input.len - from) len = input.len - from;
        is_good = eventstream_feed(es, slice_of(input.ptr + from, len), on_message, seen, why);
    }
    *held = eventstream_held_bytes(es);
    if (!is_good && why->code != FAULT_NONE) {
        struct fault again;
        EXPECT(!eventstream_feed(es, SLICE("x"), on_message, seen, &again) && again.code == why->code);
    }
    eventstream_free(es);
    return is_good;
}

static void expect(struct slice input, const char *names, bool is_good, const char *why_part)
{
    for (size_t cut = 0; cut <= input.len; cut++) {
        struct seen seen = {.most = 0};
        struct fault why;
        size_t held;
        bool was_good = run(input, cut == 0 ? 1 : 0, cut, &seen, &why, &held);
        EXPECT_SLICE(slice_str(names), buf_slice(&seen.names));
        if (was_good != is_good || (!is_good && !strstr(fault_message(&why), why_part)))
            UNIT_FAIL("cut at %zu: %d %s", cut, was_good, fault_message(&why));
        EXPECT(is_good || (why.code == FAULT_UPSTREAM_STREAM && held == 0));
        buf_clear(&seen.names);
    }
}

static void what_awss_codec_writes(void)
{
    static const char *const files[][2] = {
        {"converse.bin",
         "messageStart 30\ncontentBlockDelta 61\ncontentBlockStop 23\nmessageStop 25\nmetadata 87\n"},
        {"odd.bin", "oneEvent 2\nother.Event 0\n"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct buf bytes;
        EXPECT(read_file("tests/data/bedrock", files[i][0], &bytes));
        expect(buf_slice(&bytes), files[i][1], true, "");
        buf_clear(&bytes);
    }
}

static void a_header_is_found_by_its_whole_name_and_type(void)
{
    struct slice value = SLICE("before");
    struct eventstream_message m = {.headers = SLICE("\1a\4\0\0\0\1\2ab\7\0\2xy\1b\7\0\0\1b\7\0\1z")};
    EXPECT(!eventstream_header(&m, SLICE("a"), &value));
    EXPECT(eventstream_header(&m, SLICE("ab"), &value));
    EXPECT_SLICE(SLICE("xy"), value);
    EXPECT(eventstream_header(&m, SLICE("b"), &value));
    EXPECT_INT(0, value.len);
    EXPECT(!eventstream_header(&m, SLICE("c"), &value));
}

static void messages_need_neither_headers_nor_payload(void)
{
    struct buf all;
    buf_init(&all);
    framing_append(&all, SLICE(""), SLICE(""));
    framing_append(&all, SLICE("\13:event-type\7\0\1e"), SLICE("abc"));
    expect(buf_slice(&all), " 0\ne 3\n", true, "");
    buf_clear(&all);
}

/* A bit of any byte behind the first message is another: nothing of the second is told. */
static void any_bit_that_is_wrong_is_found(void)
{
    struct buf all;
    buf_init(&all);
    framing_append(&all, SLICE("\13:event-type\7\0\1e"), SLICE("abc"));
    size_t first = buf_len(&all);
    framing_append(&all, SLICE("\13:event-type\7\0\1f"), SLICE("defg"));
    for (size_t bit = first * 8; bit < buf_len(&all) * 8; bit++) {
        struct seen seen = {.most = 0};
        struct fault why;
        size_t held;
        buf_ptr(&all)[bit / 8] ^= (char)(1 << bit % 8);
        EXPECT(!run(buf_slice(&all), 0, 0, &seen, &why, &held) && why.code == FAULT_UPSTREAM_STREAM);
        EXPECT_SLICE(SLICE("e 3\n"), buf_slice(&seen.names));
        buf_ptr(&all)[bit / 8] ^= (char)(1 << bit % 8);
        buf_clear(&seen.names);
    }
    buf_clear(&all);
}

static void lengths_that_cannot_be(void)
{
    static const struct {
        uint32_t total, headers;
        const char *why;
    } bad[] = {{0, 0, "the length"},
               {15, 0, "the length"},
               {16, 1, "the length"},
               {20, 5, "the length"},
               {UINT32_MAX, 0, "the size"},
               {UINT32_MAX, UINT32_MAX, "the length"},
               {UINT32_MAX, UINT32_MAX - 16, "the size"},
               {LIMIT_EVENTSTREAM_BYTES + 1, 0, "the size"},
               {32, UINT32_MAX, "the length"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buf all;
        buf_init(&all);
        framing_append_prelude(&all, bad[i].total, bad[i].headers);
        buf_append(&all, SLICE("0123456789"));
        expect(buf_slice(&all), "", false, bad[i].why);
        buf_clear(&all);
    }
}

static void headers_that_go_over_their_end(void)
{
    static const struct slice bad[] = {{"\0\7\0\1x", 5},      {"\5ab", 3},        {"\1a", 2},
                                       {"\1a\12", 3},         {"\1a\7\0", 4},     {"\1a\7\0\2x", 6},
                                       {"\1a\7\377\377x", 6}, {"\1a\4\0\0", 5},   {"\1a\11abcdefgh", 11},
                                       {"\1a\0\1", 4},        {"\1a\6\1\0abc", 8}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buf all;
        buf_init(&all);
        framing_append(&all, bad[i], SLICE("payload"));
        expect(buf_slice(&all), "", false, "a header");
        buf_clear(&all);
    }
}

/* A length alone costs nothing: memory comes with the bytes. */
static void the_largest_message_comes_whole(void)
{
    struct buf payload, all;
    struct seen seen = {.most = 0};
    struct fault why;
    size_t held, len = LIMIT_EVENTSTREAM_BYTES - 16;
    buf_init(&payload);
    buf_init(&all);
    memset(buf_reserve(&payload, len), 'x', len);
    buf_grew(&payload, len);
    framing_append(&all, SLICE(""), buf_slice(&payload));
    EXPECT_INT(LIMIT_EVENTSTREAM_BYTES, buf_len(&all));
    EXPECT(run(buf_slice(&all), 70001, 0, &seen, &why, &held));
    EXPECT_INT(1, seen.count);
    EXPECT_INT(0, held);
    buf_clear(&seen.names);
    EXPECT(run(slice_of(buf_ptr(&all), 5000), 100, 0, &seen, &why, &held));
    EXPECT_INT(0, seen.count);
    EXPECT_INT(5000, held);
    buf_clear(&seen.names);
    buf_clear(&payload);
    buf_clear(&all);
}

static void who_has_heard_enough_hears_no_more(void)
{
    struct buf all;
    buf_init(&all);
    for (int i = 0; i < 3; i++)
        framing_append(&all, SLICE("\13:event-type\7\0\1e"), SLICE(""));
    for (size_t cut = 0; cut <= buf_len(&all); cut++) {
        struct seen seen = {.most = 2};
        struct fault why;
        size_t held;
        EXPECT(!run(buf_slice(&all), cut == 0 ? 1 : 0, cut, &seen, &why, &held));
        EXPECT(why.code == FAULT_NONE);
        EXPECT_INT(2, seen.count);
        buf_clear(&seen.names);
    }
    buf_clear(&all);
}

int main(void)
{
    RUN(what_awss_codec_writes);
    RUN(a_header_is_found_by_its_whole_name_and_type);
    RUN(messages_need_neither_headers_nor_payload);
    RUN(any_bit_that_is_wrong_is_found);
    RUN(lengths_that_cannot_be);
    RUN(headers_that_go_over_their_end);
    RUN(the_largest_message_comes_whole);
    RUN(who_has_heard_enough_hears_no_more);
    return unit_close("eventstream");
}
