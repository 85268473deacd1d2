/* Slices, buffers, arenas, faults: the bottom floor. */
#include "../unit.h"

#include <sys/resource.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/hex.h"
#include "base/mem.h"

static void numbers_are_strict(void)
{
    uint64_t n = 7;
    EXPECT(slice_to_u64(SLICE("18446744073709551615"), &n));
    EXPECT(n == UINT64_MAX);
    EXPECT(!slice_to_u64(SLICE("18446744073709551616"), &n));
    EXPECT(!slice_to_u64(SLICE(""), &n));
    EXPECT(!slice_to_u64(SLICE("+1"), &n));
    EXPECT(!slice_to_u64(SLICE("1 "), &n));
    EXPECT(n == UINT64_MAX);
}

static void a_split_without_the_mark_is_all_head(void)
{
    struct slice rest;
    EXPECT_SLICE(SLICE("a"), slice_split(SLICE("a:b:c"), ':', &rest));
    EXPECT_SLICE(SLICE("b:c"), rest);
    EXPECT_SLICE(SLICE("abc"), slice_split(SLICE("abc"), ':', &rest));
    EXPECT_INT(0, rest.len);
}

static void a_buffer_keeps_order_through_growth_and_consumption(void)
{
    struct buf b;
    unsigned char next = 0, expected = 0;
    buf_init(&b);
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 37; i++) buf_append_char(&b, (char)next++);
        for (int i = 0; i < 31; i++) {
            EXPECT_INT(expected, (unsigned char)buf_ptr(&b)[0]);
            expected++;
            buf_consume(&b, 1);
        }
    }
    EXPECT_INT(200 * 6, buf_len(&b));
    buf_clear(&b);
}

/* The limit is the process's own, for as long as this takes. */
static void a_buffer_that_finds_no_memory_is_as_it_was(void)
{
    struct buf b;
    buf_init(&b);
    EXPECT(buf_try_append(&b, SLICE("abc"), 0));
    buf_consume(&b, 1);
    EXPECT(buf_try_append(&b, SLICE(""), 0));
#ifndef __SANITIZE_ADDRESS__
    struct rlimit before, none;
    EXPECT_INT(0, getrlimit(RLIMIT_AS, &before));
    none = (struct rlimit){1, before.rlim_max};
    static char much[8 * 1024 * 1024];
    EXPECT_INT(0, setrlimit(RLIMIT_AS, &none));
    bool is_taken = buf_try_append(&b, slice_of(much, sizeof much), 0);
    EXPECT_INT(0, setrlimit(RLIMIT_AS, &before));
    EXPECT(!is_taken);
    EXPECT_SLICE(SLICE("bc"), buf_slice(&b));
#endif
    EXPECT(buf_try_append(&b, SLICE("def"), 5));
    EXPECT_SLICE(SLICE("bcdef"), buf_slice(&b));
    buf_clear(&b);
}

/* Nothing is taken beyond what the whole is known to need. */
static void a_buffer_takes_no_more_than_the_whole(void)
{
    struct buf b;
    char piece[1000] = {0};
    buf_init(&b);
    for (int i = 0; i < 5; i++)
        EXPECT(buf_try_append(&b, slice_of(piece, sizeof piece), 5000));
    EXPECT_INT(5000, buf_len(&b));
    EXPECT_INT(5000, b.cap);
    EXPECT(buf_try_append(&b, slice_of(piece, 1), 5000));
    EXPECT_INT(5001, buf_len(&b));
    buf_clear(&b);
}

static void json_text_is_always_valid(void)
{
    struct buf b;
    buf_init(&b);
    buf_append_json(&b, SLICE("a\"\\\n\t\x01\x0b\x7f é 😀 \xff \xed\xa0\x80 \xc0\xaf"));
    EXPECT_SLICE(SLICE("\"a\\\"\\\\\\n\\t\\u0001\\u000b\\u007f é 😀 \xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD "
                       "\xEF\xBF\xBD\xEF\xBF\xBD\""),
                 buf_slice(&b));
    buf_clear(&b);
}

/* Runs are copied sixteen and eight bytes at a time: nothing may hide at any place of a text of any length. */
static void json_text_is_escaped_at_every_place(void)
{
    static const struct {
        char byte;
        const char *expected;
    } cases[] = {{'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\n"}, {1, "\\u0001"}, {0x1F, "\\u001f"},
                 {0x7F, "\\u007f"}, {(char)0x80, "\xEF\xBF\xBD"}, {(char)0xFF, "\xEF\xBF\xBD"}, {' ', " "}, {'~', "~"}};
    struct buf b, expected;
    buf_init(&b);
    buf_init(&expected);
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        for (size_t len = 1; len <= 40; len++) {
            for (size_t at = 0; at < len; at++) {
                char *text = mem_alloc(len); /* so that a read behind it is noticed */
                memset(text, 'a', len);
                text[at] = cases[c].byte;
                buf_reset(&b);
                buf_reset(&expected);
                buf_append_json(&b, slice_of(text, len));
                buf_printf(&expected, "\"%.*s%s%.*s\"", (int)at, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                           cases[c].expected, (int)(len - at - 1), "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
                EXPECT_SLICE(buf_slice(&expected), buf_slice(&b));
                mem_free(text);
            }
        }
    }
    buf_clear(&b);
    buf_clear(&expected);
}

static void an_arena_aligns_and_counts(void)
{
    struct arena a;
    arena_init(&a);
    for (size_t size = 1; size < 5000; size = size * 3 + 1) EXPECT_INT(0, (uintptr_t)arena_alloc(&a, size) % 16);
    EXPECT_SLICE(SLICE("x=7"), arena_printf(&a, "x=%d", 7));
    EXPECT_SLICE(SLICE("ab"), arena_join(&a, SLICE("a"), SLICE("b")));
    EXPECT_SLICE(SLICE("b"), arena_join(&a, SLICE_NONE, SLICE("b")));
    EXPECT(a.used >= 4916);
    /* texts stand close together; what follows them is aligned again */
    struct slice first = arena_copy(&a, SLICE("name")), second = arena_copy(&a, SLICE("value"));
    EXPECT(second.ptr == first.ptr + sizeof "name");
    EXPECT_INT(0, (uintptr_t)arena_alloc(&a, 8) % 16);
    EXPECT_STR("value", second.ptr);
    arena_clear(&a);
    EXPECT_INT(0, a.used);
}

static void every_fault_has_a_standard_status(void)
{
#define X(name, status_, type_, code_, sentence_)                                                                      \
    EXPECT_INT(status_, fault_info(FAULT_##name)->status);                                                             \
    EXPECT(FAULT_##name == FAULT_NONE || fault_info(FAULT_##name)->code[0] != '\0');
    FAULTS(X)
#undef X
}

static void times_are_rfc3339(void)
{
    char text[CLOCK_TEXT_BYTES];
    clock_format(1764000000123000000ull, text);
    EXPECT_STR("2025-11-24T16:00:00.123Z", text);
}

static void hexadecimal_digits_are_those_and_no_others(void)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    for (int c = 0; c < 256; c++) {
        const char *at = c ? strchr(digits, c) : NULL;
        int value = !at ? -1 : at - digits < 16 ? (int)(at - digits) : (int)(at - digits) - 6;
        EXPECT_INT(value, hex_digit((char)c));
    }
    EXPECT_INT(0xFEFF, hex_four("fEFf"));
}

int main(void)
{
    RUN(numbers_are_strict);
    RUN(a_split_without_the_mark_is_all_head);
    RUN(a_buffer_keeps_order_through_growth_and_consumption);
    RUN(a_buffer_that_finds_no_memory_is_as_it_was);
    RUN(a_buffer_takes_no_more_than_the_whole);
    RUN(json_text_is_always_valid);
    RUN(json_text_is_escaped_at_every_place);
    RUN(an_arena_aligns_and_counts);
    RUN(every_fault_has_a_standard_status);
    RUN(times_are_rfc3339);
    RUN(hexadecimal_digits_are_those_and_no_others);
    return unit_close("base");
}
