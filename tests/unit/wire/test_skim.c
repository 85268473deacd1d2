/* What is too large to be kept, or not quite JSON, is read in pieces, and says the same however large it is and however
 * it comes. */
#include "../unit.h"

#include "base/mem.h"
#include "skimming.h"

static uint32_t seed = 20261129;

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

/* --- equality --- */

static void write_text(struct buf *out, size_t bytes)
{
    static const char *const runs[] = {"a", "word ", "\\n", "\\\"", "\\\\", "\\u00e9", "\\ud83d\\ude00", "\xC3\xA9",
                                       "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "{", "\\/", "0123456789 and so on, for a line"};
    size_t until = buf_len(out) + bytes;
    while (buf_len(out) < until)
        buf_append(out, slice_str(runs[draw(sizeof runs / sizeof runs[0])]));
}

static size_t length_of_text(void)
{
    static const size_t most[] = {20, 300, 70000, 200000};
    return draw((uint32_t)most[draw(4)]);
}

static void write_member(struct buf *out, const char *name)
{
    buf_printf(out, ",\"%s\":\"", name);
    write_text(out, length_of_text());
    buf_append_char(out, '"');
}

static void write_numbers(struct buf *out)
{
    buf_append(out, SLICE(",\"embedding\":[0"));
    for (uint32_t n = draw(3000); n > 0; n--)
        buf_printf(out, ",-0.%u", draw(100000));
    buf_append_char(out, ']');
}

static void write_calls(struct buf *out)
{
    buf_append(out, SLICE(",\"tool_calls\":[null"));
    for (uint32_t n = draw(4); n > 0; n--) {
        buf_append(out, SLICE(",{\"id\":\"c\",\"function\":{\"a\":1"));
        write_member(out, "name");
        write_member(out, "arguments");
        buf_append(out, SLICE("}}"));
    }
    buf_append_char(out, ']');
}

static void write_choice(struct buf *out, uint32_t place)
{
    buf_append_char(out, '{');
    if (draw(2)) buf_printf(out, "\"index\":%u,", place + draw(2) * 3);
    buf_append(out, SLICE("\"message\":{\"role\":\"assistant\""));
    if (draw(2)) write_member(out, "reasoning");
    write_member(out, "content");
    if (draw(2)) write_calls(out);
    if (draw(2)) write_member(out, "other");
    buf_append(out, SLICE("}"));
    if (draw(2)) write_numbers(out);
    buf_append(out, draw(2) ? SLICE(",\"finish_reason\":\"stop\"}") : SLICE("}"));
}

static void write_answer(struct buf *out)
{
    static const char usage[] = ",\"usage\":{\"prompt_tokens\":%u,\"completion_tokens\":%u,\"completion_tokens_details\":"
                                "{\"reasoning_tokens\":%u}}";
    bool is_first = draw(3) == 0;
    buf_append(out, SLICE("{\"id\":\"x\""));
    if (is_first) buf_printf(out, usage, draw(5000), 20 + draw(5000), draw(20));
    if (draw(2)) write_member(out, "pad");
    buf_append(out, SLICE(",\"choices\":["));
    for (uint32_t n = 0, count = draw(4); n < count; n++) {
        if (n) buf_append_char(out, ',');
        write_choice(out, n);
    }
    buf_append_char(out, ']');
    if (!is_first) buf_printf(out, usage, draw(5000), 20 + draw(5000), draw(20));
    buf_append(out, SLICE("}"));
}

static void an_answer_says_the_same_in_pieces(void)
{
    static const size_t steps[] = {0, 1, 7, 1000, 65536};
    struct buf answer = {0};
    for (int run = 0; run < 150; run++) {
        struct skimming whole, pieces;
        buf_reset(&answer);
        write_answer(&answer);
        skimming_open(&whole), skimming_open(&pieces);
        EXPECT(skimming_read(&whole, buf_slice(&answer)));
        skimming_feed(&pieces, buf_slice(&answer), steps[draw(5)]);
        const char *difference = skimming_difference(&whole, &pieces);
        if (difference) UNIT_FAIL("run %d: another %s", run, difference);
        EXPECT(pieces.is_read);
        EXPECT_INT(0, pieces.unreadable);
        EXPECT_INT(0, pieces.lost);
        EXPECT(pieces.largest < LIMIT_SKIM_BYTES + 1024);
        skimming_close(&whole), skimming_close(&pieces);
    }
    buf_clear(&answer);
}

/* --- not quite JSON --- */

#define TEXT(text) "{\"choices\":[{\"message\":{\"content\":\"" text "\"},\"finish_reason\":\"stop\"}]"
#define USAGE ",\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}"

struct lenient {
    const char *bytes, *text;
    int64_t output;
    bool is_read;
    uint64_t lost;
};

static const struct lenient lenients[] = {
    {TEXT("Hi") USAGE, "Hi", 2, true, 0},
    {TEXT("Hi") USAGE "\ndata: [DONE]\n\n", "Hi", 2, true, 0},
    {"\xEF\xBB\xBF" TEXT("Hi") USAGE, "Hi", 2, true, 0},
    {TEXT("Hi") ",\"score\":NaN" USAGE, "Hi", 2, true, 0},
    {TEXT("Hi") ",\"scores\":[-Infinity,Infinity,{}]" USAGE, "Hi", 2, true, 0},
    {TEXT("Hi") ",\"a\":01,\"b\":+1,\"c\":None" USAGE, "Hi", 2, true, 0},
    {TEXT("Hi ") "}\n" TEXT("you") USAGE "\n", "Hi you", 2, true, 0},
    {TEXT("Hi") ",\"list\":[1,2,],\"o\":{\"a\":1,}" USAGE, "Hi", 2, true, 0},
    {TEXT("H\x01i") USAGE, "H i", 2, true, 0},
    {TEXT("H\\ud83d") USAGE, "H\xEF\xBF\xBD", 2, true, 0},
    {TEXT("\\ude00H") USAGE, "\xEF\xBF\xBDH", 2, true, 0},
    {TEXT("\\ud83d\\ud83d\\ude00") USAGE, "\xEF\xBF\xBD\xF0\x9F\x98\x80", 2, true, 0},
    {TEXT("Hi"), "Hi", USAGE_UNKNOWN, false, 0},
    {"{\"choices\":[{\"message\":{\"content\":\"Hi", "Hi", USAGE_UNKNOWN, false, 0},
    {"{\"choices\":[{\"message\":{\"content\":\"Hi\\", "Hi", USAGE_UNKNOWN, false, 0},
    {"{\"choices\":[{\"message\":{\"content\":\"Hi\\xyz", "Hi", USAGE_UNKNOWN, false, 3},
    {TEXT("Hi") " \"usage\":{}}", "Hi", USAGE_UNKNOWN, false, 10},
    {TEXT("Hi") "]", "Hi", USAGE_UNKNOWN, false, 1},
    {"Hello", "", USAGE_UNKNOWN, false, 5},
    {"[1]", "", USAGE_UNKNOWN, false, 3},
    {"{oh}", "", USAGE_UNKNOWN, false, 4},
    {"", "", USAGE_UNKNOWN, false, 0},
    {"{}", "", USAGE_UNKNOWN, true, 0},
};

static void run_lenient(const struct lenient *l, size_t step)
{
    struct skimming s;
    skimming_open(&s);
    skimming_feed(&s, slice_str(l->bytes), step);
    EXPECT_SLICE(slice_str(l->text), s.channel_count ? buf_slice(&s.channels[0].text) : SLICE(""));
    EXPECT_INT(l->output, s.told.usage.output_tokens);
    EXPECT_INT(l->is_read, s.is_read);
    EXPECT(s.lost >= l->lost && s.lost <= l->lost + 2);
    EXPECT_INT(0, s.unreadable);
    skimming_close(&s);
}

static void what_is_nearly_json_is_read(void)
{
    for (size_t i = 0; i < sizeof lenients / sizeof lenients[0]; i++) {
        for (size_t step = 0; step < 5; step++)
            run_lenient(&lenients[i], step);
    }
}

/* --- bounds --- */

static void repeat(struct buf *b, const char *what, size_t times)
{
    while (times-- > 0)
        buf_append(b, slice_str(what));
}

static void expect_bounded(struct buf *b, const char *end)
{
    struct skimming s;
    buf_append(b, slice_str(end));
    skimming_open(&s);
    skimming_feed(&s, buf_slice(b), 5000);
    EXPECT(s.largest <= LIMIT_SKIM_BYTES_MAX + LIMIT_SKIM_BYTES);
    EXPECT_INT(0, s.unreadable);
    EXPECT(s.is_read);
    EXPECT_INT(7, s.told.usage.output_tokens);
    skimming_close(&s);
    buf_clear(b);
}

#define SEVEN "\"usage\":{\"completion_tokens\":7}}"

static void a_piece_has_a_bound_whatever_comes(void)
{
    struct buf b = {0};
    repeat(&b, "{\"a\":[", 1);
    repeat(&b, "{\"b\":\"c\"},", 300000);
    expect_bounded(&b, "0]," SEVEN);
    repeat(&b, "{\"a\":{\"a\":{\"a\":{", 1);
    repeat(&b, "\"b\":true,", 300000);
    expect_bounded(&b, "}}}," SEVEN);
    repeat(&b, "{\"a\":", 1);
    repeat(&b, "[", 300000);
    repeat(&b, "\"]\\\"[\"", 1);
    repeat(&b, "]", 300000);
    expect_bounded(&b, "," SEVEN);
    repeat(&b, "{\"a\":", 1);
    repeat(&b, "[0,{\"an index that is a rather long name for a key, as they go, but not\":", 31);
    repeat(&b, "\"", 1);
    repeat(&b, "text ", 100000);
    repeat(&b, "\"", 1);
    repeat(&b, "}]", 31);
    expect_bounded(&b, "," SEVEN);
    repeat(&b, "{\"", 1);
    repeat(&b, "key ", 100000);
    expect_bounded(&b, "\":1," SEVEN);
    repeat(&b, "{\"a\":", 1);
    repeat(&b, "123456789", 100000);
    expect_bounded(&b, "," SEVEN);
}

static void on_nothing(void *arg, struct slice json)
{
    size_t *largest = arg;
    if (json.len > *largest) *largest = json.len;
}

/* No place to cut at: it is cut all the same. */
static void continuation_bytes_without_end_are_bounded(void)
{
    struct buf b = {0};
    struct skim *skim = skim_new();
    size_t largest = 0;
    repeat(&b, "{\"a\":\"", 1);
    repeat(&b, "\x80\x80\x80\x80", 300000);
    repeat(&b, "\"}", 1);
    skim_feed(skim, buf_slice(&b), on_nothing, &largest);
    EXPECT(skim_finish(skim, on_nothing, &largest));
    EXPECT(largest <= LIMIT_SKIM_BYTES_MAX + 64);
    skim_free(skim);
    buf_clear(&b);
}

int main(void)
{
    RUN(an_answer_says_the_same_in_pieces);
    RUN(what_is_nearly_json_is_read);
    RUN(a_piece_has_a_bound_whatever_comes);
    RUN(continuation_bytes_without_end_are_bounded);
    return unit_close("skim");
}
