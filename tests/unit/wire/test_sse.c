/* Server-sent events: the whole WHATWG grammar, the same in any partition, with every byte accounted for. */
#include "../unit.h"
#include "sse_lines.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/sse.h"

/* What was reported, as text: one line an event with its raw bytes; and all raw bytes in a row. */
struct seen {
    struct buf text, events, raw;
    bool in_pieces;
};

static void print_text(struct buf *to, struct slice s)
{
    buf_append_json(to, s);
}

static void print_event(struct buf *to, const struct sse_event *e)
{
    if (e->is_comment_only) {
        buf_append(to, SLICE("-"));
    } else {
        if (e->name.len) buf_printf(to, "%.*s ", SLICE_FMT(e->name));
        if (e->id.len) buf_printf(to, "#%.*s ", SLICE_FMT(e->id));
        print_text(to, e->data);
    }
    if (e->retry_ms >= 0) buf_printf(to, " retry %" PRId64, e->retry_ms);
    if (e->is_tail) buf_append(to, SLICE(" tail"));
    EXPECT(e->is_tail == !e->ends);
}

static void on_event(void *arg, const struct sse_event *e)
{
    struct seen *seen = arg;
    buf_append(&seen->raw, e->raw);
    if (e->is_raw) {
        /* Pieces differ by partition; only the whole they make does not. */
        EXPECT(!e->data.len && !e->name.len && !e->is_comment_only);
        if (!seen->in_pieces) buf_append(&seen->events, SLICE("pieces; "));
        seen->in_pieces = !e->ends;
        if (e->ends) buf_append(&seen->text, SLICE("oversized; "));
        return;
    }
    EXPECT(!seen->in_pieces);
    EXPECT(e->raw.len > 0);
    if (!e->is_tail) EXPECT(lines_say_the_same(e));
    print_event(&seen->text, e);
    buf_append(&seen->text, SLICE("; "));
    print_event(&seen->events, e);
    print_text(&seen->events, e->raw);
    buf_append(&seen->events, SLICE("\n"));
}

static void seen_init(struct seen *seen)
{
    buf_init(&seen->text);
    buf_init(&seen->events);
    buf_init(&seen->raw);
    seen->in_pieces = false;
}

static void seen_clear(struct seen *seen)
{
    buf_clear(&seen->text);
    buf_clear(&seen->events);
    buf_clear(&seen->raw);
}

/* Each span is a copy of exact size: what is borrowed too long or read too far is seen by the sanitizers. */
static void feed(struct sse_parser *p, struct slice bytes, struct seen *seen)
{
    char *copy = mem_alloc(bytes.len + !bytes.len);
    if (bytes.len) memcpy(copy, bytes.ptr, bytes.len);
    sse_feed(p, slice_of(copy, bytes.len), on_event, seen);
    mem_free(copy);
}

/* Spans of step bytes, the first one of `first` bytes when that is not 0. */
static void run(struct seen *seen, struct slice input, size_t first, size_t step)
{
    struct sse_parser *p = sse_new();
    seen_init(seen);
    for (size_t at = 0; at < input.len;) {
        size_t len = at == 0 && first ? first : step;
        if (len > input.len - at) len = input.len - at;
        feed(p, slice_of(input.ptr + at, len), seen);
        at += len;
    }
    sse_finish(p, on_event, seen);
    EXPECT_INT(0, sse_held_bytes(p));
    EXPECT_SLICE(input, buf_slice(&seen->raw));
    sse_free(p);
}

static void expect_same(struct slice input, const struct seen *want, size_t first, size_t step)
{
    struct seen got;
    run(&got, input, first, step);
    EXPECT_SLICE(buf_slice(&want->text), buf_slice(&got.text));
    EXPECT_SLICE(buf_slice(&want->events), buf_slice(&got.events));
    seen_clear(&got);
}

/* Whole, byte by byte, and cut at every position; optionally against what is expected. */
static void check_all_feeds(struct slice input, const char *want)
{
    struct seen whole;
    run(&whole, input, 0, input.len);
    if (want) EXPECT_SLICE(slice_str(want), buf_slice(&whole.text));
    expect_same(input, &whole, 0, 1);
    for (size_t cut = 1; cut < input.len; cut++)
        expect_same(input, &whole, cut, input.len);
    seen_clear(&whole);
}

#define GRAMMAR(input, want)                                                                                           \
    {                                                                                                                  \
        {"" input, sizeof(input) - 1}, want                                                                            \
    }

static void the_whole_grammar(void)
{
    static const struct {
        struct slice input;
        const char *want;
    } table[] = {
        GRAMMAR("", ""),
        /* line ends */
        GRAMMAR("data: a\n\n", "\"a\"; "),
        GRAMMAR("data: a\r\n\r\n", "\"a\"; "),
        GRAMMAR("data: a\r\r", "\"a\"; "),
        GRAMMAR("data: a\n\ndata: b\n\n", "\"a\"; \"b\"; "),
        GRAMMAR("data: a\r\n\r\ndata: b\r\n\r\n", "\"a\"; \"b\"; "),
        GRAMMAR("data: a\r\rdata: b\r\r", "\"a\"; \"b\"; "),
        GRAMMAR("data: a\n\r\n", "\"a\"; - tail; "),
        GRAMMAR("data: a\r\n\n", "\"a\"; "),
        GRAMMAR("data: a\r\n\rdata: b\r\n\r\n", "\"a\"; \"b\"; "),
        GRAMMAR("data: a\r\n\r", "\"a\"; "),
        GRAMMAR("data: a\r\r\n", "\"a\"; - tail; "),
        GRAMMAR("data: a\n\rdata: b\n\n", "\"a\"; \"b\"; "),
        GRAMMAR("data: a\rdata: b\ndata: c\r\ndata: d\r\n\r\n", "\"a\\nb\\nc\\nd\"; "),
        /* byte order mark */
        GRAMMAR("\xEF\xBB\xBF"
                "data: a\n\n",
                "\"a\"; "),
        GRAMMAR("\xEF\xBB\xBF\n"
                "data: a\n\n",
                "\"a\"; "),
        GRAMMAR("\xEF\xBB\xBF\xEF\xBB\xBF"
                "data: a\n\n",
                "-; "),
        GRAMMAR("data: a\n\n\xEF\xBB\xBF"
                "data: b\n\n",
                "\"a\"; -; "),
        GRAMMAR("data: \xEF\xBB\xBF\n\n", "\"\xEF\xBB\xBF\"; "),
        /* the space behind the colon */
        GRAMMAR("data:a\n\n", "\"a\"; "),
        GRAMMAR("data:  a\n\n", "\" a\"; "),
        GRAMMAR("data:\ta\n\n", "\"\\ta\"; "),
        GRAMMAR("data: a  \n\n", "\"a  \"; "),
        GRAMMAR("data : a\n\n", "-; "),
        GRAMMAR(" data: a\n\n", "-; "),
        /* several data lines, and empty ones */
        GRAMMAR("data: a\ndata: b\n\n", "\"a\\nb\"; "),
        GRAMMAR("data: a\ndata\ndata: c\n\n", "\"a\\n\\nc\"; "),
        GRAMMAR("data: a\ndata:\n\n", "\"a\\n\"; "),
        GRAMMAR("data:\n\n", "\"\"; "),
        GRAMMAR("data\n\n", "\"\"; "),
        GRAMMAR("data\n\ndata\ndata\n\ndata:", "\"\"; \"\\n\"; \"\" tail; "),
        GRAMMAR("data: a:b: c\n\n", "\"a:b: c\"; "),
        GRAMMAR("data: [DONE]\n\n", "\"[DONE]\"; "),
        GRAMMAR("data: a\nx\ndata: b\n\n", "\"a\\nb\"; "),
        /* comments and blank lines */
        GRAMMAR(":\n\n", "-; "),
        GRAMMAR(": OPENROUTER PROCESSING\n\ndata: a\n\n", "-; \"a\"; "),
        GRAMMAR(": one\n: two\ndata: a\n: three\n\n", "\"a\"; "),
        GRAMMAR(": ping\ndata: a\n\n", "\"a\"; "),
        GRAMMAR("data: : not a comment\n\n", "\": not a comment\"; "),
        GRAMMAR("\n\n\ndata: a\n\n\n", "-; -; -; \"a\"; -; "),
        GRAMMAR("\r\n\r\ndata: a\r\n\r\n", "-; -; \"a\"; "),
        GRAMMAR("\r\r", "-; -; "),
        /* other fields */
        GRAMMAR("event: error\ndata: a\n\n", "error \"a\"; "),
        GRAMMAR("data: a\nevent: late\n\n", "late \"a\"; "),
        GRAMMAR("event: x\nevent: y\ndata: a\n\n", "y \"a\"; "),
        GRAMMAR("event: x\n\ndata: a\n\n", "-; \"a\"; "),
        GRAMMAR("event\ndata: a\n\n", "\"a\"; "),
        GRAMMAR("id: 7\ndata: a\n\n", "#7 \"a\"; "),
        GRAMMAR("id: 7\nid: a\0b\ndata: a\n\n", "#7 \"a\"; "),
        GRAMMAR("id\ndata: a\n\n", "\"a\"; "),
        GRAMMAR("retry: 3000\ndata: a\n\n", "\"a\" retry 3000; "),
        GRAMMAR("retry: 3s\ndata: a\n\n", "\"a\"; "),
        GRAMMAR("retry: 99999999999999999999\ndata: a\n\n", "\"a\"; "),
        GRAMMAR("retry: 10\n\n", "- retry 10; "),
        GRAMMAR("unknown: x\ndata: a\nDATA: b\n\n", "\"a\"; "),
        GRAMMAR("datax: b\ndat: c\n\n", "-; "),
        GRAMMAR(":data: a\n\n", "-; "),
        /* ends without a blank line */
        GRAMMAR("data: a\n\ndata: b\n", "\"a\"; \"b\" tail; "),
        GRAMMAR("data: a\n\ndata: b", "\"a\"; \"b\" tail; "),
        GRAMMAR("data: a\r", "\"a\" tail; "),
        GRAMMAR("data: a\r\n", "\"a\" tail; "),
        GRAMMAR("da", "- tail; "),
        GRAMMAR("\xEF\xBB\xBF", "- tail; "),
        /* bytes that are no text */
        GRAMMAR("data: a\0b\n\n", "\"a\\u0000b\"; "),
        GRAMMAR("data: 漢字 😀 é\n\n", "\"漢字 😀 é\"; "),
        GRAMMAR("data: {\"text\":\"line\\nbreak\\r\"}\n\n", "\"{\\\"text\\\":\\\"line\\\\nbreak\\\\r\\\"}\"; "),
        GRAMMAR("event: a line that is longer than one vector\r\ndata: and one more that is longer\r\n\r\n",
                "a line that is longer than one vector \"and one more that is longer\"; "),
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        check_all_feeds(table[i].input, table[i].want);
}

/* Three spans, cut at every pair of positions: what two cuts inside one line end could break. */
static void two_cuts_change_nothing(void)
{
    struct slice input =
        SLICE("\xEF\xBB\xBF: c\r\n\r\nid: 1\rdata: a\r\rdata: b\r\r\n\r\ndata: c\r\n\r\n\n\rdata: d\n\n");
    struct seen whole;
    run(&whole, input, 0, input.len);
    for (size_t a = 1; a < input.len; a++) {
        for (size_t b = a + 1; b < input.len; b++) {
            struct sse_parser *p = sse_new();
            struct seen got;
            seen_init(&got);
            feed(p, slice_of(input.ptr, a), &got);
            feed(p, slice_of(input.ptr + a, b - a), &got);
            feed(p, slice_of(input.ptr + b, input.len - b), &got);
            sse_finish(p, on_event, &got);
            EXPECT_SLICE(buf_slice(&whole.events), buf_slice(&got.events));
            EXPECT_SLICE(input, buf_slice(&got.raw));
            seen_clear(&got);
            sse_free(p);
        }
    }
    seen_clear(&whole);
}

/* All strings of six over the bytes that mean something. */
static void every_short_stream_is_the_same_in_every_partition(void)
{
    static const char alphabet[] = "\n\rd:";
    char text[6];
    for (uint32_t n = 0; n < 1u << 12; n++) {
        for (int i = 0; i < 6; i++)
            text[i] = alphabet[n >> 2 * i & 3];
        struct slice input = slice_of(text, sizeof text);
        struct seen whole;
        run(&whole, input, 0, input.len);
        for (uint32_t cuts = 1; cuts < 1u << 5; cuts++) {
            struct sse_parser *p = sse_new();
            struct seen got;
            seen_init(&got);
            size_t from = 0;
            for (size_t i = 0; i < 6; i++) {
                if (i < 5 && !(cuts & 1u << i)) continue;
                feed(p, slice_of(text + from, i + 1 - from), &got);
                from = i + 1;
            }
            sse_finish(p, on_event, &got);
            EXPECT_SLICE(buf_slice(&whole.events), buf_slice(&got.events));
            seen_clear(&got);
            sse_free(p);
        }
        seen_clear(&whole);
        if (unit_case_failures) return;
    }
}

static void count_event(void *arg, const struct sse_event *e)
{
    (void)e;
    ++*(int *)arg;
}

/* A complete event is reported with its last byte, whatever the line ends. */
static void an_event_is_not_kept_waiting(void)
{
    static const struct slice events[] = {{"data: a\n\n", 9}, {"data: a\r\r", 9}, {"data: a\r\n\r\n", 11}};
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        struct sse_parser *p = sse_new();
        for (int round = 1; round < 4; round++) {
            int count = 0;
            sse_feed(p, slice_of(events[i].ptr, events[i].len - 1), count_event, &count);
            EXPECT_INT(0, count);
            EXPECT_INT(events[i].len - 1, sse_held_bytes(p));
            sse_feed(p, slice_of(events[i].ptr + events[i].len - 1, 1), count_event, &count);
            EXPECT_INT(1, count);
            EXPECT_INT(0, sse_held_bytes(p));
        }
        sse_free(p);
    }
}

static void expect_borrowed(void *arg, const struct sse_event *e)
{
    const struct slice *span = arg;
    EXPECT(e->raw.ptr >= span->ptr && e->raw.ptr + e->raw.len <= span->ptr + span->len);
    EXPECT(e->data.ptr >= span->ptr && e->data.ptr + e->data.len <= span->ptr + span->len);
}

static void an_event_inside_one_span_is_not_copied(void)
{
    struct sse_parser *p = sse_new();
    struct slice span = SLICE("data: a\n\n: c\nevent: x\ndata: b\n\n");
    sse_feed(p, span, expect_borrowed, &span);
    EXPECT_INT(0, sse_held_bytes(p));
    sse_free(p);
}

/* One event of that many bytes, its blank line included. */
static void make_event(struct buf *b, size_t bytes, const char *end)
{
    size_t before = buf_len(b);
    buf_append(b, SLICE("data: "));
    while (buf_len(b) - before < bytes - strlen(end))
        buf_append_char(b, 'x');
    buf_append(b, slice_str(end));
}

static void the_bound_is_the_same_in_every_partition(void)
{
    static const char *const ends[] = {"\n\n", "\r\n\r\n", "\r\r"};
    static const size_t steps[] = {1, 7, 4096, LIMIT_EVENT_BYTES - 1, LIMIT_EVENT_BYTES, LIMIT_EVENT_BYTES + 1};
    for (size_t i = 0; i < 3; i++) {
        for (int over = -1; over <= 1; over++) {
            struct buf b;
            struct seen whole;
            buf_init(&b);
            make_event(&b, 20, ends[i]);
            make_event(&b, (size_t)((int)LIMIT_EVENT_BYTES + over), ends[i]);
            make_event(&b, 30, ends[i]);
            run(&whole, buf_slice(&b), 0, buf_len(&b));
            EXPECT_INT(over == 1, memmem(buf_ptr(&whole.text), buf_len(&whole.text), "oversized", 9) != NULL);
            for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
                expect_same(buf_slice(&b), &whole, 0, steps[s]);
                expect_same(buf_slice(&b), &whole, 13, steps[s]);
            }
            seen_clear(&whole);
            buf_clear(&b);
        }
    }
}

/* An endless event passes through and is not collected; behind its end all is as before. */
static void an_oversized_event_passes_through(void)
{
    struct sse_parser *p = sse_new();
    struct seen seen;
    char chunk[1000];
    memset(chunk, 'x', sizeof chunk);
    seen_init(&seen);
    for (int i = 0; i < 1000; i++) {
        feed(p, slice_of(chunk, sizeof chunk), &seen);
        EXPECT(sse_held_bytes(p) <= LIMIT_EVENT_BYTES);
        if (i > 70) EXPECT_INT(0, sse_held_bytes(p));
        EXPECT_INT(i < 65, sse_is_at_boundary(p));
    }
    feed(p, SLICE("\n\ndata: a\n\n"), &seen);
    EXPECT(sse_is_at_boundary(p));
    EXPECT_STR("oversized; \"a\"; ", (buf_append_char(&seen.text, '\0'), buf_ptr(&seen.text)));
    EXPECT_INT(1000 * 1000 + 11, buf_len(&seen.raw));
    seen_clear(&seen);
    sse_free(p);
}

/* Where the input ends inside an event that is reported in pieces, nothing of one's own may follow. */
static void an_end_inside_an_oversized_event_is_no_boundary(void)
{
    struct buf b;
    struct seen seen;
    struct sse_parser *p = sse_new();
    buf_init(&b);
    seen_init(&seen);
    make_event(&b, LIMIT_EVENT_BYTES + 1, "");
    feed(p, buf_slice(&b), &seen);
    sse_finish(p, on_event, &seen);
    EXPECT(!sse_is_at_boundary(p));
    EXPECT_SLICE(buf_slice(&b), buf_slice(&seen.raw));
    feed(p, SLICE("data: a"), &seen);
    EXPECT(sse_is_at_boundary(p));
    sse_free(p);
    seen_clear(&seen);
    buf_clear(&b);
}

static void a_parser_is_as_new_after_its_finish(void)
{
    struct sse_parser *p = sse_new();
    for (int i = 0; i < 2; i++) {
        struct seen seen;
        seen_init(&seen);
        feed(p,
             SLICE("\xEF\xBB\xBF"
                   "data: a\r\n\r\ndata: b"),
             &seen);
        sse_finish(p, on_event, &seen);
        EXPECT_SLICE(SLICE("\"a\"; \"b\" tail; "), buf_slice(&seen.text));
        seen_clear(&seen);
    }
    sse_free(p);
    sse_free(NULL);
}

/* Transcripts in tests/data: the shape of streams as providers send them. */
static void transcripts_are_the_same_in_every_partition(void)
{
    static const char *const names[] = {"chat_text",   "chat_tools", "chat_usage",    "chat_crlf_comments",
                                        "completions", "chat_error", "chat_unmarked", "chat_multiline"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[100], bytes[16384];
        snprintf(path, sizeof path, "tests/data/%s.sse", names[i]);
        FILE *file = fopen(path, "rb");
        if (!file) {
            UNIT_FAIL("%s: cannot be read; run the tests from the repository's root", path);
            return;
        }
        size_t len = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        check_all_feeds(slice_of(bytes, len), NULL);
    }
}

int main(void)
{
    RUN(the_whole_grammar);
    RUN(two_cuts_change_nothing);
    RUN(every_short_stream_is_the_same_in_every_partition);
    RUN(an_event_is_not_kept_waiting);
    RUN(an_event_inside_one_span_is_not_copied);
    RUN(the_bound_is_the_same_in_every_partition);
    RUN(an_oversized_event_passes_through);
    RUN(an_end_inside_an_oversized_event_is_no_boundary);
    RUN(a_parser_is_as_new_after_its_finish);
    RUN(transcripts_are_the_same_in_every_partition);
    return unit_close("sse");
}
