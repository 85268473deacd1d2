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
    expect_unread(type_events, buf_ptr(&large), LIMIT_EVENT_BYTES + 8);
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
    loop_free(kit_loop);
    return unit_close("relay_read");
}
