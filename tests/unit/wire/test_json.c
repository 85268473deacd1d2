/* The JSON tape: what is accepted, what is refused and where, and what the readers give back. */
#include "../unit.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/json.h"

#include <math.h>

#define SEES(text, slice) EXPECT_SLICE(slice_str(text), slice)

/* Parses a copy of exact size, so that the sanitizers see a read beyond its end. */
static bool parses(struct slice text, struct fault *why)
{
    struct json_tape tape;
    char *copy = mem_alloc(text.len + !text.len);
    if (text.len) memcpy(copy, text.ptr, text.len);
    json_init(&tape);
    bool ok = json_parse(&tape, slice_of(copy, text.len), why);
    json_clear(&tape);
    mem_free(copy);
    return ok;
}

static void what_the_grammar_allows_is_accepted(void)
{
    static const char *const good[] = {
        "0",
        "-0",
        "-0.0e+00",
        "12e5",
        "1E-7",
        "0.1",
        "true",
        "false",
        "null",
        "\"\"",
        "[]",
        "{}",
        " \t\r\n[ ] ",
        "[[],{},[{}]]",
        "{\"\":\"\"}",
        "{\"a\":1,\"a\":2}",
        "\"\\u0000\"",
        "\"\\ud83d\\ude00\"",
        "\"\\uD83D\\uDE00\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
        "\"\x7f\"",
        "\"é漢😀\"",
        "[1,2 , 3]",
        "{\"a\" : {\"b\":[null]} }",
        "123456789012345678901234567890.123456789e-999",
        "\"sixteen bytes.. and more than that\"",
    };
    struct fault why = {0};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!parses(slice_str(good[i]), &why)) UNIT_FAIL("%s: %s", good[i], why.text);
    }
}

static void what_it_does_not_allow_is_refused_with_its_place(void)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"", "byte 0: expected a value, found the end"},
        {"  ", "byte 2: expected a value, found the end"},
        {"\xEF\xBB\xBF{}", "byte 0: expected a value, found byte 0xEF"},
        {"{", "byte 1: expected a key or '}', found the end"},
        {"{1:2}", "byte 1: expected a key or '}', found '1'"},
        {"{\"a\"", "byte 4: expected ':' behind the key, found the end"},
        {"{\"a\" 1}", "byte 5: expected ':' behind the key, found '1'"},
        {"{\"a\":}", "byte 5: expected a value, found '}'"},
        {"{\"a\":1", "byte 6: expected ',' or '}', found the end"},
        {"{\"a\":1]", "byte 6: expected ',' or '}', found ']'"},
        {"{\"a\":1,}", "byte 7: expected a key, found '}'"},
        {"[1,]", "byte 3: expected a value, found ']'"},
        {"[,1]", "byte 1: expected a value, found ','"},
        {"[1 2]", "byte 3: expected ',' or ']', found '2'"},
        {"[1}", "byte 2: expected ',' or ']', found '}'"},
        {"]", "byte 0: expected a value, found ']'"},
        {"{} {}", "byte 3: expected nothing behind the value, found '{'"},
        {"1\v", "byte 1: expected nothing behind the value, found byte 0x0B"},
        {"01", "byte 1: expected no digit behind a leading zero, found '1'"},
        {"-", "byte 1: expected a digit, found the end"},
        {"+1", "byte 0: expected a value, found '+'"},
        {".5", "byte 0: expected a value, found '.'"},
        {"1.", "byte 2: expected a digit, found the end"},
        {"1.e5", "byte 2: expected a digit, found 'e'"},
        {"1e", "byte 2: expected a digit, found the end"},
        {"1e+", "byte 3: expected a digit, found the end"},
        {"0x10", "byte 1: expected nothing behind the value, found 'x'"},
        {"NaN", "byte 0: expected a value, found 'N'"},
        {"nul", "byte 3: expected null, found the end"},
        {"trux", "byte 3: expected true, found 'x'"},
        {"True", "byte 0: expected a value, found 'T'"},
        {"'a'", "byte 0: expected a value, found '''"},
        {"\"a", "byte 2: expected a closing quote, found the end"},
        {"\"\\", "byte 2: expected one of \"\\/bfnrtu behind the backslash, found the end"},
        {"\"\\x\"", "byte 2: expected one of \"\\/bfnrtu behind the backslash, found 'x'"},
        {"\"\\u12g4\"", "byte 5: expected four hexadecimal digits behind \\u, found 'g'"},
        {"\"\\u12", "byte 5: expected four hexadecimal digits behind \\u, found the end"},
        {"\"\\ud800\"", "byte 1: expected no lone surrogate, found '\\'"},
        {"\"\\udc00\"", "byte 1: expected no lone surrogate, found '\\'"},
        {"\"\\ud800\\ud800\"", "byte 1: expected no lone surrogate, found '\\'"},
        {"\"\\ud800\\n\"", "byte 1: expected no lone surrogate, found '\\'"},
        {"\"a\nb\"", "byte 2: expected no control character in a string (write it as an escape), found byte 0x0A"},
        {"\"\x1f\"", "byte 1: expected no control character in a string (write it as an escape), found byte 0x1F"},
        {"\"ab\xff\"", "byte 3: expected valid UTF-8, found byte 0xFF"},
        {"\"\xed\xa0\x80\"", "byte 1: expected valid UTF-8, found byte 0xED"},
        {"\"\xc0\xaf\"", "byte 1: expected valid UTF-8, found byte 0xC0"},
        {"{\"a\":1}//", "byte 7: expected nothing behind the value, found '/'"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct fault why = {0};
        if (parses(slice_str(bad[i].text), &why)) UNIT_FAIL("accepted: %s", bad[i].text);
        EXPECT_INT(FAULT_BAD_JSON, why.code);
        EXPECT_STR(bad[i].why, why.text);
    }
    struct fault why = {0};
    EXPECT(!parses(SLICE("[1,\0]"), &why));
    EXPECT_STR("byte 3: expected a value, found byte 0x00", why.text);
}

/* An object is not complete before its last byte. */
static void no_prefix_of_an_object_is_accepted(void)
{
    static const char text[] = "{\"model\":\"gpt-é\",\"n\":[1,-2.5e+3,true,null,{}],\"😀\":{\"\\ud83d\\ude00\":\"a\\tb "
                               "and a string that is longer than one vector\"},\"z\":[]}";
    struct fault why;
    for (size_t len = 0; len < sizeof text - 1; len++) {
        if (parses(slice_of(text, len), &why)) UNIT_FAIL("accepted the first %zu bytes", len);
    }
    EXPECT(parses(slice_of(text, sizeof text - 1), &why));
}

/* A quote, backslash, control character or wrong byte at each place of a long string is seen. */
static void a_string_is_checked_at_every_place(void)
{
    char text[82];
    struct fault why;
    for (size_t at = 1; at < sizeof text - 1; at++) {
        memset(text, 'x', sizeof text);
        text[0] = text[sizeof text - 1] = '"';
        EXPECT(parses(slice_of(text, sizeof text), &why));
        static const char wrong[] = {'"', '\0', '\n', 0x1F, (char)0x80, (char)0xFF};
        for (size_t i = 0; i < sizeof wrong; i++) {
            text[at] = wrong[i];
            if (parses(slice_of(text, sizeof text), &why)) UNIT_FAIL("accepted %d at %zu", wrong[i], at);
        }
        text[at] = '\\';
        if (parses(slice_of(text, sizeof text), &why)) UNIT_FAIL("accepted a wrong escape at %zu", at);
    }
}

static struct slice repeated(struct buf *b, struct slice open, size_t times, struct slice middle, struct slice close)
{
    buf_init(b);
    for (size_t i = 0; i < times; i++)
        buf_append(b, open);
    buf_append(b, middle);
    for (size_t i = 0; i < times; i++)
        buf_append(b, close);
    return buf_slice(b);
}

static void every_bound_holds_at_its_edge(void)
{
    struct buf b;
    struct fault why;
    EXPECT(parses(repeated(&b, SLICE("["), LIMIT_JSON_DEPTH, SLICE(""), SLICE("]")), &why));
    buf_clear(&b);
    EXPECT(!parses(repeated(&b, SLICE("["), LIMIT_JSON_DEPTH + 1, SLICE(""), SLICE("]")), &why));
    EXPECT_STR("byte 64: more than 64 levels of arrays and objects", why.text);
    buf_clear(&b);
    EXPECT(!parses(repeated(&b, SLICE("{\"a\":"), LIMIT_JSON_DEPTH + 1, SLICE("1"), SLICE("}")), &why));
    buf_clear(&b);

    buf_init(&b);
    buf_append_char(&b, '[');
    for (size_t i = 0; i + 2 < LIMIT_JSON_NODES; i++)
        buf_append(&b, SLICE("1,"));
    buf_append(&b, SLICE("1]"));
    EXPECT(parses(buf_slice(&b), &why));
    buf_ptr(&b)[buf_len(&b) - 1] = ',';
    buf_append(&b, SLICE("1]"));
    EXPECT(!parses(buf_slice(&b), &why));
    EXPECT(strstr(why.text, "more than 1048576 values") != NULL);
    buf_clear(&b);
}

static void a_key_may_be_long_but_not_longer(void)
{
    struct fault why;
    for (size_t over = 0; over < 2; over++) {
        struct buf b;
        buf_init(&b);
        buf_append(&b, SLICE("{\""));
        for (size_t i = 0; i < LIMIT_JSON_KEY_BYTES + over; i++)
            buf_append_char(&b, 'k');
        buf_append(&b, SLICE("\":1}"));
        EXPECT_INT(!over, parses(buf_slice(&b), &why));
        buf_clear(&b);
    }
    EXPECT_STR("byte 1: more than 4096 bytes in a key", why.text);
}

static void readers_give_back_what_stands_there(void)
{
    static const char text[] = " { \"model\" : \"gpt\" ,\"a\":[1, [2,3],{\"x\":[]},\"s\"], \"mod\\u0065l2\":true,"
                               "\"b\":{},\"a\":null} ";
    struct json_tape t;
    struct arena arena;
    struct fault why;
    json_init(&t);
    arena_init(&arena);
    EXPECT(json_parse(&t, slice_of(text, sizeof text - 1), &why));
    EXPECT_INT(JSON_OBJECT, json_type(&t, 0));
    EXPECT_INT(5, json_count(&t, 0));
    EXPECT_INT(text + 1 - t.bytes, json_raw(&t, 0).ptr - t.bytes);
    EXPECT_INT(sizeof text - 3, json_raw(&t, 0).len);
    EXPECT_INT(JSON_NONE, json_next(&t, 0));
    EXPECT(json_key(&t, 0).ptr == NULL);

    uint32_t model = json_get(&t, 0, SLICE("model")), a = json_get(&t, 0, SLICE("a"));
    SEES("\"gpt\"", json_raw(&t, model));
    SEES("\"model\"", json_key(&t, model));
    EXPECT_INT(a, json_next(&t, model));
    EXPECT_INT(4, json_count(&t, a));
    SEES("[1, [2,3],{\"x\":[]},\"s\"]", json_raw(&t, a));
    EXPECT_INT(JSON_NONE, json_get(&t, a, SLICE("x")));
    EXPECT_INT(JSON_NONE, json_get(&t, JSON_NONE, SLICE("x")));

    static const char *const elements[] = {"1", "[2,3]", "{\"x\":[]}", "\"s\""};
    size_t seen = 0;
    for (uint32_t n = json_first(&t, a); n != JSON_NONE; n = json_next(&t, n)) {
        EXPECT(seen < 4);
        SEES(elements[seen], json_raw(&t, n));
        EXPECT(json_key(&t, n).ptr == NULL);
        seen++;
    }
    EXPECT_INT(4, seen);

    uint32_t escaped = json_get(&t, 0, SLICE("model2"));
    EXPECT(json_is(&t, escaped, JSON_TRUE));
    SEES("\"mod\\u0065l2\"", json_key(&t, escaped));
    SEES("model2", json_key_text(&t, escaped, &arena));
    EXPECT_INT(json_after(&t, a), escaped);
    uint32_t b = json_get(&t, 0, SLICE("b"));
    EXPECT_INT(JSON_NONE, json_first(&t, b));
    EXPECT_INT(0, json_count(&t, b));
    EXPECT(json_is(&t, json_next(&t, b), JSON_NULL));
    EXPECT(json_has_duplicate(&t, 0, SLICE("a")));
    EXPECT(!json_has_duplicate(&t, 0, SLICE("b")));
    EXPECT(!json_has_duplicate(&t, 0, SLICE("zz")));
    uint32_t first = json_get(&t, 0, SLICE("a")), second = json_get_behind(&t, 0, first, SLICE("a"));
    EXPECT(second > first && json_key_is(&t, second, SLICE("a")));
    arena_clear(&arena);
    json_clear(&t);
}

/* The last value of a container has no next one, whatever stands behind the container. */
static void a_walk_stays_in_its_container(void)
{
    struct json_tape t;
    struct fault why;
    json_init(&t);
    EXPECT(json_parse(&t, SLICE("[[],[[1]],{\"a\":{\"b\":[]}},{}]"), &why));
    uint32_t total = 0;
    for (uint32_t n = 0; n < t.count; n++) {
        uint32_t children = 0;
        if (json_type(&t, n) < JSON_ARRAY) continue;
        for (uint32_t c = json_first(&t, n); c != JSON_NONE; c = json_next(&t, c))
            children++;
        EXPECT_INT(json_count(&t, n), children);
        total += children;
    }
    EXPECT_INT(t.count - 1, total);
    json_clear(&t);
}

static void duplicates_are_found_through_escapes(void)
{
    struct json_tape t;
    struct fault why;
    json_init(&t);
    EXPECT(json_parse(&t, SLICE("{\"model\":1,\"m\\u006fdel\":2,\"x\":{\"model\":3}}"), &why));
    EXPECT(json_has_duplicate(&t, 0, SLICE("model")));
    SEES("1", json_raw(&t, json_get(&t, 0, SLICE("model"))));
    EXPECT(json_parse(&t, SLICE("{\"model\":1,\"x\":{\"model\":3}}"), &why));
    EXPECT(!json_has_duplicate(&t, 0, SLICE("model")));
    json_clear(&t);
}

/* A name is matched to its end, and never over the key's closing quote. */
static void names_are_matched_whole(void)
{
    struct json_tape t;
    struct fault why;
    json_init(&t);
    EXPECT(json_parse(&t, SLICE("{\"mode\":1,\"models\":2,\"\":3,\"a\\u0000b\":4,\"q\\\"\":5}"), &why));
    EXPECT_INT(JSON_NONE, json_get(&t, 0, SLICE("model")));
    EXPECT_INT(JSON_NONE, json_get(&t, 0, SLICE("mode\":1,")));
    SEES("3", json_raw(&t, json_get(&t, 0, SLICE(""))));
    SEES("4", json_raw(&t, json_get(&t, 0, SLICE("a\0b"))));
    EXPECT_INT(JSON_NONE, json_get(&t, 0, SLICE("a")));
    SEES("5", json_raw(&t, json_get(&t, 0, SLICE("q\""))));
    json_clear(&t);
}

static void strings_are_decoded(void)
{
    struct json_tape t;
    struct arena arena;
    struct fault why;
    json_init(&t);
    arena_init(&arena);
    EXPECT(json_parse(&t,
                      SLICE("[\"plain é\",\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"a\\u00e9\\u20AC\\ud83d\\uDE00z\",\"\","
                            "\"\\u0000\"]"),
                      &why));
    struct slice plain = json_text(&t, 1, &arena);
    SEES("plain é", plain);
    EXPECT(plain.ptr > t.bytes && plain.ptr < t.bytes + 20);
    SEES("\"\\/\b\f\n\r\t", json_text(&t, 2, &arena));
    SEES("aé€😀z", json_text(&t, 3, &arena));
    SEES("", json_text(&t, 4, &arena));
    EXPECT_SLICE(SLICE("\0"), json_text(&t, 5, &arena));
    EXPECT(json_text_is(&t, 3, SLICE("aé€😀z")));
    EXPECT(!json_text_is(&t, 3, SLICE("aé€😀")));
    EXPECT(!json_text_is(&t, 3, SLICE("aé€😀zz")));
    EXPECT(!json_text_is(&t, 0, SLICE("")));
    EXPECT(!json_text_is(&t, JSON_NONE, SLICE("")));
    arena_clear(&arena);
    json_clear(&t);
}

/* Each cut of the bytes as they stand: all of it, in order, each piece decoded as far as it goes. */
static void expect_pieces(const struct json_tape *t, uint32_t string, size_t max)
{
    struct arena arena;
    struct buf all, out;
    struct slice piece, raw = json_raw(t, string);
    size_t at = 0, before = 0;
    arena_init(&arena);
    buf_init(&all);
    buf_init(&out);
    while (json_text_piece(t, string, &at, max, &out, &piece)) {
        if (at <= before || at - before > max + 11) UNIT_FAIL("max %zu: from %zu to %zu", max, before, at); /* an escape has 12 bytes at most */
        if (at < raw.len - 2 && at - before < max) UNIT_FAIL("max %zu: only from %zu to %zu", max, before, at);
        buf_append(&all, piece);
        before = at;
    }
    EXPECT_INT(raw.len - 2, at);
    EXPECT_SLICE(json_text(t, string, &arena), buf_slice(&all));
    EXPECT(!json_text_piece(t, string, &at, max, &out, &piece));
    buf_clear(&out);
    buf_clear(&all);
    arena_clear(&arena);
}

static void a_string_is_read_in_pieces_of_any_size(void)
{
    static const char text[] = "[\"\",\"plain, and longer than sixteen bytes: é漢😀é漢😀é漢😀\","
                               "\"\\ud83d\\ude00\\uD83D\\uDE80\\u00e9\\u20AC\\\\\\\"\\/\\b\\f\\n\\r\\t\\u0000 é漢😀\\ud83d\\ude00, \\\\u0041 \\\\\\\\\","
                               "\"\\n\",\"begins plain for a good while\\n\",\"\\nends plain for a good while\"]";
    struct json_tape t;
    struct fault why;
    json_init(&t);
    EXPECT(json_parse(&t, slice_of(text, sizeof text - 1), &why));
    EXPECT_INT(7, t.count);
    for (uint32_t n = 1; n < t.count; n++) {
        for (size_t max = 16; max < sizeof text; max++)
            expect_pieces(&t, n, max);
        expect_pieces(&t, n, SIZE_MAX / 2);
    }
    json_clear(&t);
}

/* Nothing is copied where nothing is decoded. */
static void a_piece_without_escapes_is_borrowed(void)
{
    struct json_tape t;
    struct fault why;
    struct buf out;
    struct slice piece;
    size_t at = 0;
    json_init(&t);
    buf_init(&out);
    EXPECT(json_parse(&t, SLICE("\"0123456789abcdefghij\""), &why));
    EXPECT(json_text_piece(&t, 0, &at, 16, &out, &piece));
    SEES("0123456789abcdef", piece);
    EXPECT(piece.ptr == t.bytes + 1);
    EXPECT(json_text_piece(&t, 0, &at, 16, &out, &piece));
    SEES("ghij", piece);
    EXPECT(!json_text_piece(&t, 0, &at, 16, &out, &piece));
    EXPECT_INT(0, out.cap);
    buf_clear(&out);
    json_clear(&t);
}

static void numbers_are_read_exactly_or_not_at_all(void)
{
    static const struct {
        const char *text;
        bool is_integer;
        int64_t integer;
        double real;
    } numbers[] = {
        {"0", true, 0, 0},
        {"-0", true, 0, 0},
        {"9007199263392129", true, 9007199263392129, 9007199263392129.0},
        {"9223372036854775807", true, INT64_MAX, 9223372036854775807.0},
        {"-9223372036854775808", true, INT64_MIN, -9223372036854775808.0},
        {"9223372036854775808", false, 0, 9223372036854775808.0},
        {"-9223372036854775809", false, 0, -9223372036854775808.0},
        {"1e3", false, 0, 1000},
        {"1.0", false, 0, 1},
        {"0.1", false, 0, 0.1},
        {"1e-7", false, 0, 1e-7},
        {"1e999", false, 0, INFINITY},
        {"0.00000000000000000000000000000000000000000000000000000000000000000000000001", false, 0, 1e-74},
    };
    struct json_tape t;
    struct fault why;
    json_init(&t);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int64_t value = 42;
        EXPECT(json_parse(&t, slice_str(numbers[i].text), &why));
        EXPECT_INT(numbers[i].is_integer, json_to_i64(&t, 0, &value));
        EXPECT_INT(numbers[i].is_integer ? numbers[i].integer : 42, value);
        EXPECT(json_to_double(&t, 0) == numbers[i].real);
    }
    json_clear(&t);
}

static void bytes_are_exactly_so_many_digits(void)
{
    static const char *const bad[] = {"\"0aff0\"", "\"0aff00\"", "\"0afg\"", "\"0af\\u0066\"", "1234", "123456", "null"};
    uint8_t bytes[2] = {0, 0};
    struct json_tape t;
    struct fault why;
    json_init(&t);
    EXPECT(json_parse(&t, SLICE("\"0aFf\""), &why));
    EXPECT(json_to_bytes(&t, 0, bytes, 2));
    EXPECT(bytes[0] == 0x0a && bytes[1] == 0xff);
    EXPECT(!json_to_bytes(&t, JSON_NONE, bytes, 2));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT(json_parse(&t, slice_str(bad[i]), &why));
        EXPECT(!json_to_bytes(&t, 0, bytes, 2));
    }
    json_clear(&t);
}

static void a_tape_is_usable_again_after_a_refusal(void)
{
    struct json_tape t;
    struct fault why;
    json_init(&t);
    EXPECT(!json_parse(&t, SLICE("[1,2,"), &why));
    EXPECT_INT(0, t.count);
    EXPECT(json_parse(&t, SLICE("[1]"), &why));
    EXPECT_INT(2, t.count);
    json_clear(&t);
}

int main(void)
{
    RUN(what_the_grammar_allows_is_accepted);
    RUN(what_it_does_not_allow_is_refused_with_its_place);
    RUN(no_prefix_of_an_object_is_accepted);
    RUN(a_string_is_checked_at_every_place);
    RUN(every_bound_holds_at_its_edge);
    RUN(a_key_may_be_long_but_not_longer);
    RUN(readers_give_back_what_stands_there);
    RUN(a_walk_stays_in_its_container);
    RUN(duplicates_are_found_through_escapes);
    RUN(names_are_matched_whole);
    RUN(strings_are_decoded);
    RUN(a_string_is_read_in_pieces_of_any_size);
    RUN(a_piece_without_escapes_is_borrowed);
    RUN(numbers_are_read_exactly_or_not_at_all);
    RUN(bytes_are_exactly_so_many_digits);
    RUN(a_tape_is_usable_again_after_a_refusal);
    return unit_close("json");
}
