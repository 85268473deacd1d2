/* What an answer says is read once: usage, ends, errors, texts; what is counted of it, and what is not passed on. */
#include "../unit.h"

#include "relay_tap.h"

static const char type_events[] = "text/event-stream", type_json[] = "application/json";

/* Of a stream, cut everywhere: what comes out behind the reading. */
static void expect_passed(bool drops_usage, const char *body, const char *seen)
{
    for (size_t at = 0; at <= strlen(body); at++) {
        struct kit k;
        struct tap tap;
        kit_open(&k, type_events);
        k.parts.drops_usage = drops_usage;
        kit_begin(&k);
        tap_open(&tap, &k, &k.relay->first->next);
        kit_feed_cut(&k, slice_str(body), at, at);
        kit_finish(&k, NULL);
        EXPECT_SLICE(slice_str(seen), buf_slice(&tap.seen));
        EXPECT_INT(1, tap.finishes);
        tap_close(&tap);
        kit_close(&k);
        if (k.wrong) UNIT_FAIL("cut at %zu: %s", at, k.wrong);
    }
}

static void the_usage_chunk_is_dropped_where_the_gateway_asked(void)
{
    expect_passed(false, KIT_USAGE KIT_DONE, "{" KIT_USAGE "}{" KIT_DONE "}");
    expect_passed(true, KIT_USAGE KIT_DONE, "{" KIT_DONE "}");
    expect_passed(true, KIT_DELTA("a") ": c\n" KIT_USAGE, "{" KIT_DELTA("a") "}");
    expect_passed(true, "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3}}", "");
}

#define WITH_TEXT "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":{\"prompt_tokens\":3}}\n\n"
#define FILTERED "data: {\"choices\":[],\"prompt_filter_results\":[{\"a\":1}],\"usage\":{\"prompt_tokens\":3}}\n\n"

static void what_carries_more_than_usage_stays(void)
{
    expect_passed(true, WITH_TEXT, "{" WITH_TEXT "}");
    expect_passed(true, FILTERED, "{" FILTERED "}");
    expect_passed(true, "data: {\"choices\":[]}\n\n", "{data: {\"choices\":[]}\n\n}");
    expect_passed(true, "data: {\"choices\":[],\"usage\":null}\n\n", "{data: {\"choices\":[],\"usage\":null}\n\n}");
}

#define NAMED "event: error\n" KIT_USAGE

/* The client's library raises an event of that name whatever is in it. */
static void an_error_is_never_dropped(void)
{
    expect_passed(true, NAMED, "{" NAMED "}");
}

static struct relay_report report_of(struct kit *k, const char *type, const char *body, size_t step)
{
    kit_open(k, type);
    kit_feed(k, slice_str(body), step);
    kit_finish(k, NULL);
    return relay_report(k->relay);
}

static void expect_counted(const char *type, const char *body, uint64_t tokens)
{
    for (size_t step = 0; step <= strlen(body); step++) {
        struct kit k;
        struct relay_report told = report_of(&k, type, body, step);
        EXPECT_INT(tokens, told.counted.text_tokens);
        EXPECT(relay_settled_tokens(k.relay) <= tokens);
        kit_close(&k);
        EXPECT(!k.wrong);
    }
}

#define REPORTED(count) "{\"choices\":[{\"message\":{\"content\":\"Hello\"}}],\"usage\":{\"" count "\":9}}"

static void texts_are_counted_and_nothing_else(void)
{
    expect_counted(type_events, KIT_DELTA("Hello") KIT_DELTA(" wor") KIT_DELTA("ld") KIT_FINISH KIT_DONE, 2);
    expect_counted(type_events, KIT_DELTA("Hello") "data: {\"error\":{\"message\":\"many more words\"}}\n\n", 1);
    expect_counted(type_events, "event: error\n" KIT_DELTA("Hello"), 0);
    expect_counted(type_events, ": Hello\n\ndata: Hello\n\ndata: [\"Hello\"]\n\n", 0);
    expect_counted(type_json, KIT_WHOLE("Hello world"), 2);
    expect_counted(type_json, REPORTED("completion_tokens"), 0);
    expect_counted(type_json, REPORTED("prompt_tokens"), 1);
}

static void a_failure_is_not_counted(void)
{
    struct kit k;
    kit_open(&k, type_json);
    k.head.status = 400;
    kit_feed(&k, SLICE(KIT_WHOLE("Hello")), 0);
    kit_finish(&k, NULL);
    EXPECT_INT(0, relay_report(k.relay).counted.text_tokens);
    EXPECT_INT(OUTCOME_UPSTREAM_ERROR, k.outcome);
    kit_check_left(&k, SLICE(KIT_WHOLE("Hello")));
    kit_close(&k);
    EXPECT(!k.wrong);
}

static void expect_errors(const char *type, const char *body, uint64_t errors, uint64_t events)
{
    for (size_t step = 0; step <= strlen(body); step++) {
        struct kit k;
        report_of(&k, type, body, step);
        EXPECT_INT(errors, k.x->response.inspect_errors);
        EXPECT_INT(events, exchange_attempt(k.x)->events);
        kit_close(&k);
        EXPECT(!k.wrong);
    }
}

static void what_cannot_be_read_is_counted(void)
{
    expect_errors(type_events, KIT_DELTA("a") ": comment\n\n" KIT_DONE, 0, 2);
    expect_errors(type_events, "data: {\"choices\":\n\ndata: 7\n\ndata:\n\n" KIT_DONE, 3, 4);
    expect_errors(type_events, KIT_DELTA("a") "data: {", 1, 1);
    expect_errors(type_json, "{\"choices\":", 1, 0);
    expect_errors(type_json, "", 1, 0);
    expect_errors(type_json, "\xEF\xBB\xBF{}", 0, 0);
}

static void expect_unread(const char *type, const char *body, uint64_t bytes)
{
    struct kit k;
    struct relay_report told = report_of(&k, type, body, 0);
    EXPECT_INT(bytes, told.unread_bytes);
    kit_close(&k);
    EXPECT(!k.wrong);
}

/* It goes to the client, and is billed as text: an event too large to be kept, and what is no answer here. */
static void what_goes_by_unread_is_known(void)
{
    struct buf large = {0};
    buf_append(&large, SLICE("data: "));
    memset(buf_reserve(&large, LIMIT_EVENT_BYTES), 'x', LIMIT_EVENT_BYTES);
    buf_grew(&large, LIMIT_EVENT_BYTES);
    buf_append(&large, SLICE("\n\n" KIT_DONE "\0"));
    expect_unread(type_events, buf_ptr(&large), LIMIT_EVENT_BYTES);
    buf_clear(&large);
    expect_unread(type_events, KIT_DELTA("a") "data: {\"choices\":\n\ndata: 7\n\n" KIT_DONE, 12);
    expect_unread(type_events, KIT_DELTA("a") "event: error\ndata: no JSON\n\n", 0);
    expect_unread(type_events, KIT_DELTA("a") "data: {\"cho", 0);
    expect_unread(type_json, "<html>", 6);
    expect_unread(type_json, KIT_WHOLE("a"), 0);
}

static void expect_ended(const char *body, bool has_error, bool is_cut)
{
    for (size_t step = 0; step <= strlen(body); step++) {
        struct kit k;
        struct relay_report told = report_of(&k, type_events, body, step);
        EXPECT_INT(has_error, told.has_error);
        EXPECT_INT(is_cut, told.is_cut);
        EXPECT(told.is_stream);
        kit_close(&k);
        EXPECT(!k.wrong);
    }
}

static void an_end_is_read(void)
{
    expect_ended(KIT_DELTA("a") KIT_DONE, false, false);
    expect_ended(KIT_DELTA("a") KIT_FINISH, false, false);
    expect_ended(KIT_DELTA("a"), false, true);
    expect_ended(KIT_DELTA("a") "event: error\ndata: {}\n\n", true, false);
    expect_ended(KIT_DELTA("a") "event: error\ndata: no JSON\n\n", true, false);
    expect_ended(KIT_DELTA("a") "data: {\"error\":\"words\"}\n\n", true, false);
    expect_ended(KIT_DELTA("a") "data: {\"error\":null}\n\n", false, true);
    expect_ended(KIT_DELTA("a") "data: [DONE]", false, false);
}

/* --- what is too large to be kept --- */

static void write_long(struct buf *b, const char *before, const char *word, size_t bytes, const char *behind)
{
    size_t until = buf_len(b) + strlen(before) + bytes;
    buf_append(b, slice_str(before));
    while (buf_len(b) < until)
        buf_append(b, slice_str(word));
    buf_append(b, slice_str(behind));
}

/* Feeds it whole and in steps. */
static void expect_read(const char *type, struct slice body, int64_t output, uint64_t counted, const char *finish)
{
    static const size_t steps[] = {0, 10000, 65537};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct kit k;
        kit_open(&k, type);
        kit_feed(&k, body, steps[i]);
        kit_finish(&k, NULL);
        struct relay_report told = relay_report(k.relay);
        EXPECT_INT(output, told.usage->output_tokens);
        EXPECT_INT(counted, told.counted.text_tokens);
        EXPECT_SLICE(slice_str(finish), slice_str(told.finish_reason));
        EXPECT_INT(0, told.unread_bytes);
        EXPECT_INT(0, k.x->response.inspect_errors);
        EXPECT_INT(OUTCOME_OK, k.outcome);
        kit_check_left(&k, body);
        kit_close(&k);
        EXPECT(!k.wrong);
    }
}

#define LARGE (5u * MIB)
#define NUMBERS ",\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":1290}}"
#define PICTURE "{\"choices\":[{\"finish_reason\":\"stop\",\"message\":{\"content\":\"a cat\",\"images\":[{\"image_url\":{\"url\":\"data:image/png;base64,"

static void a_large_answer_is_read_on_the_way(void)
{
    struct buf b = {0};
    write_long(&b, PICTURE, "iVBORw0KGgoAAAANSUhEUg", LARGE, "\"}}]}}]" NUMBERS);
    expect_read(type_json, buf_slice(&b), 1290, 2, "stop");
    buf_reset(&b);
    write_long(&b, PICTURE, "iVBORw0KGgoAAAANSUhEUg", LARGE, "\"}}]}}]}");
    expect_read(type_json, buf_slice(&b), USAGE_UNKNOWN, 2, "stop");
    buf_reset(&b);
    write_long(&b, "{\"data\":[{\"embedding\":[0", ",-0.0123456", LARGE, "]}]" NUMBERS);
    expect_read(type_json, buf_slice(&b), 1290, 0, "");
    buf_reset(&b);
    write_long(&b, "{\"choices\":[{\"message\":{\"content\":\"", "word ", LARGE, "\"}}]}");
    uint64_t words = (buf_len(&b) - strlen(KIT_WHOLE(""))) / 5;
    expect_read(type_json, buf_slice(&b), USAGE_UNKNOWN, words + 1, "");
    buf_clear(&b);
}

/* The end without [DONE] is complete as well. */
static void a_large_event_is_read_on_the_way(void)
{
    static const char *const heads[] = {"data: ", "data:", "\xEF\xBB\xBF" "data: ", ": comment\nid: 7\r\ndata: ", "data: \ndata: "};
    struct buf b = {0};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        buf_reset(&b);
        buf_append(&b, slice_str(heads[i]));
        write_long(&b, PICTURE, "iVBORw0KGgoAAAANSUhEUg", 2 * LIMIT_EVENT_BYTES, "\"}}]}}]\ndata: " NUMBERS "\n\n");
        expect_read(type_events, buf_slice(&b), 1290, 2, "stop");
    }
    buf_reset(&b);
    buf_append(&b, SLICE(KIT_DELTA("Hello")));
    write_long(&b, "data: {\"choices\":[{\"delta\":{\"content\":\"", " world", 2 * LIMIT_EVENT_BYTES, "\"}}]}\n\n" KIT_FINISH);
    expect_read(type_events, buf_slice(&b), USAGE_UNKNOWN, 2 + (2 * LIMIT_EVENT_BYTES) / 6, "stop");
    buf_clear(&b);
}

static void a_large_event_of_an_error_is_one(void)
{
    struct kit k;
    struct buf b = {0};
    write_long(&b, "event: error\ndata: {\"text\":\"", "word ", 2 * LIMIT_EVENT_BYTES, "\"}\n\n");
    report_of(&k, type_events, "", 0);
    kit_close(&k);
    kit_open(&k, type_events);
    kit_feed(&k, buf_slice(&b), 1000);
    kit_finish(&k, NULL);
    EXPECT(relay_report(k.relay).has_error);
    EXPECT_INT(0, relay_report(k.relay).counted.text_tokens);
    kit_close(&k);
    EXPECT(!k.wrong);
    buf_clear(&b);
}

/* Of an answer that ends in its middle, whoever ends it. */
static void what_came_of_a_large_answer_is_counted(void)
{
    struct fault why = {.code = FAULT_UPSTREAM_CLOSED};
    struct buf b = {0};
    write_long(&b, "{\"choices\":[{\"message\":{\"content\":\"", "word ", LARGE, "");
    uint64_t words = (buf_len(&b) - strlen("{\"choices\":[{\"message\":{\"content\":\"")) / 5;
    for (int how = 0; how < 3; how++) {
        struct kit k;
        kit_open(&k, type_json);
        kit_feed(&k, buf_slice(&b), 0);
        if (how == 0) kit_finish(&k, &why);
        if (how == 1) kit_do(&k, KIT_CUT);
        if (how == 2) kit_do(&k, KIT_STOP);
        EXPECT_INT(words + 1, relay_report(k.relay).counted.text_tokens);
        kit_close(&k);
        EXPECT(!k.wrong);
    }
    buf_clear(&b);
}

/* --- what is not quite JSON --- */

static void expect_lenient(const char *type, const char *body, int64_t output, uint64_t counted, uint64_t unread)
{
    for (size_t step = 0; step <= strlen(body); step++) {
        struct kit k;
        struct relay_report told = report_of(&k, type, body, step);
        EXPECT_INT(output, told.usage->output_tokens);
        EXPECT_INT(counted, told.counted.text_tokens);
        EXPECT_INT(unread, told.unread_bytes);
        EXPECT_INT(unread != 0, k.x->response.inspect_errors != 0);
        kit_check_left(&k, slice_str(body));
        kit_close(&k);
        EXPECT(!k.wrong);
    }
}

#define HELLO "{\"choices\":[{\"message\":{\"content\":\"Hello world\"}}]"
#define TWO ",\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}"

/* Nothing that has text in it costs nothing. */
static void what_is_not_quite_json_is_read_all_the_same(void)
{
    expect_lenient(type_json, HELLO TWO "\ndata: [DONE]\n\n", 2, 2, 0);
    expect_lenient(type_json, HELLO ",\"score\":NaN" TWO, 2, 2, 0);
    expect_lenient(type_json, HELLO ",\"score\":NaN}", USAGE_UNKNOWN, 2, 0);
    expect_lenient("application/x-ndjson", HELLO "}\n" HELLO TWO "\n", 2, 4, 0);
    expect_lenient("application/x-ndjson", HELLO "}\n" HELLO "}\n", USAGE_UNKNOWN, 4, 0);
    expect_lenient(type_events, "data: " HELLO ",\"score\":NaN" TWO "\n\n" KIT_DONE, 2, 2, 0);
    expect_lenient("text/plain", "Hello there, world!!", USAGE_UNKNOWN, 0, 20);
    expect_lenient(type_events, "data: Hello there, world!!\n\n" KIT_DONE, USAGE_UNKNOWN, 0, 20);
}

int main(void)
{
    RUN(the_usage_chunk_is_dropped_where_the_gateway_asked);
    RUN(what_carries_more_than_usage_stays);
    RUN(an_error_is_never_dropped);
    RUN(texts_are_counted_and_nothing_else);
    RUN(a_failure_is_not_counted);
    RUN(what_cannot_be_read_is_counted);
    RUN(what_goes_by_unread_is_known);
    RUN(an_end_is_read);
    RUN(a_large_answer_is_read_on_the_way);
    RUN(a_large_event_is_read_on_the_way);
    RUN(a_large_event_of_an_error_is_one);
    RUN(what_came_of_a_large_answer_is_counted);
    RUN(what_is_not_quite_json_is_read_all_the_same);
    loop_free(kit_loop);
    return unit_close("relay_read");
}
