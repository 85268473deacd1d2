/* How an answer ends: every end of a stream, committed or not, complete or broken off, and what its client is told. */
#include "../unit.h"

#include "relay_tap.h"

static const char type_events[] = "text/event-stream", type_json[] = "application/json";

struct ending {
    const char *body, *left; /* left NULL: nothing began */
    bool is_broken_off;
    enum relay_how how;
    enum exchange_outcome outcome;
    bool is_told; /* an error event of ours stands behind */
};

#define A KIT_DELTA("a")
#define ERROR "data: {\"error\":{\"message\":\"busy\"}}\n\n"
#define HALF "data: {\"choices\":[{\"del"

static const struct ending endings[] = {
    /* complete */
    {A KIT_DONE, A KIT_DONE, false, RELAY_SENT, OUTCOME_OK, false},
    {A KIT_DONE, A KIT_DONE, true, RELAY_SENT, OUTCOME_OK, false},
    {KIT_DONE, KIT_DONE, false, RELAY_SENT, OUTCOME_OK, false},
    {A "data: [DONE]", A "data: [DONE]", false, RELAY_SENT, OUTCOME_OK, false},
    {A "data: [DONE]\n", A "data: [DONE]\n", true, RELAY_SENT, OUTCOME_OK, false},
    {"data: [DONE]", "data: [DONE]", false, RELAY_SENT, OUTCOME_OK, false},
    {A KIT_DONE ": bye", A KIT_DONE ": bye", false, RELAY_SENT, OUTCOME_OK, false},
    /* complete but for the marker: only where the transport says so too */
    {A KIT_FINISH, A KIT_FINISH, false, RELAY_SENT, OUTCOME_OK, false},
    {A KIT_FINISH, A KIT_FINISH, true, RELAY_SENT, OUTCOME_INCOMPLETE, true},
    {A KIT_FINISH HALF, A KIT_FINISH HALF, false, RELAY_SENT, OUTCOME_OK, false},
    {A KIT_FINISH HALF, A KIT_FINISH, true, RELAY_SENT, OUTCOME_INCOMPLETE, true},
    /* the provider said why */
    {A ERROR, A ERROR, false, RELAY_SENT, OUTCOME_UPSTREAM_ERROR, false},
    {A ERROR, A ERROR, true, RELAY_SENT, OUTCOME_UPSTREAM_ERROR, false},
    {ERROR, ERROR, false, RELAY_SENT, OUTCOME_UPSTREAM_ERROR, false},
    {A "event: error\ndata: x\n\n", A "event: error\ndata: x\n\n", false, RELAY_SENT, OUTCOME_UPSTREAM_ERROR, false},
    /* cut: half an event is dropped */
    {A, A, false, RELAY_SENT, OUTCOME_INCOMPLETE, true},
    {A, A, true, RELAY_SENT, OUTCOME_INCOMPLETE, true},
    {A HALF, A, false, RELAY_SENT, OUTCOME_INCOMPLETE, true},
    {A HALF, A, true, RELAY_SENT, OUTCOME_INCOMPLETE, true},
    {": c\n\n", ": c\n\n", true, RELAY_SENT, OUTCOME_INCOMPLETE, true},
    /* nothing began */
    {"", NULL, false, RELAY_UNSENT, OUTCOME_UPSTREAM_ERROR, false},
    {"", NULL, true, RELAY_UNSENT, OUTCOME_UPSTREAM_ERROR, false},
    {HALF, NULL, false, RELAY_UNSENT, OUTCOME_INCOMPLETE, false},
    {HALF, NULL, true, RELAY_UNSENT, OUTCOME_UPSTREAM_ERROR, false},
};
#define ENDINGS (sizeof endings / sizeof endings[0])

static void run(const struct ending *e, size_t from, size_t step)
{
    struct fault why = {.code = FAULT_UPSTREAM_CLOSED};
    struct kit k;
    kit_open(&k, type_events);
    if (step)
        kit_feed(&k, slice_str(e->body), step);
    else
        kit_feed_cut(&k, slice_str(e->body), from, from);
    kit_finish(&k, e->is_broken_off ? &why : NULL);
    EXPECT_INT(1, k.ends);
    EXPECT_INT(e->how, k.how);
    EXPECT_INT(e->outcome, k.outcome);
    EXPECT_INT(e->left != NULL, k.heads);
    EXPECT_INT(e->is_told, k.heads && k.has_why);
    EXPECT_INT((e->left ? strlen(e->left) : 0) + (e->is_told ? buf_len(&k.told) : 0), buf_len(&k.out));
    kit_check_left(&k, slice_str(e->left ? e->left : ""));
    kit_close(&k);
    if (k.wrong) UNIT_FAIL("%s", k.wrong);
    if (unit_case_failures) UNIT_FAIL("%s (broken off: %d)", e->body, e->is_broken_off);
}

static void every_end_of_a_stream(void)
{
    for (size_t i = 0; i < ENDINGS && !unit_case_failures; i++) {
        for (size_t from = 0; from <= strlen(endings[i].body); from++)
            run(&endings[i], from, 0);
        run(&endings[i], 0, 1);
    }
}

static void run_whole(const char *body, int status, bool is_broken_off, enum relay_how how,
                      enum exchange_outcome outcome)
{
    for (size_t from = 0; from <= strlen(body); from++) {
        struct fault why = {.code = FAULT_UPSTREAM_CLOSED};
        struct kit k;
        kit_open(&k, type_json);
        k.head.status = status;
        kit_feed_cut(&k, slice_str(body), from, from);
        EXPECT_INT(0, k.heads);
        kit_finish(&k, is_broken_off ? &why : NULL);
        EXPECT_INT(how, k.how);
        EXPECT_INT(outcome, k.outcome);
        if (how == RELAY_SENT) EXPECT_INT(strlen(body), k.length);
        kit_check_left(&k, slice_str(body));
        kit_close(&k);
        if (k.wrong) UNIT_FAIL("%s", k.wrong);
    }
}

static void every_end_of_a_whole_answer(void)
{
    run_whole(KIT_WHOLE("a"), 200, false, RELAY_SENT, OUTCOME_OK);
    run_whole(KIT_WHOLE("a"), 200, true, RELAY_UNSENT, OUTCOME_UPSTREAM_ERROR);
    run_whole(KIT_WHOLE("a"), 429, false, RELAY_SENT, OUTCOME_UPSTREAM_ERROR);
    run_whole("", 200, false, RELAY_SENT, OUTCOME_OK);
    run_whole("", 200, true, RELAY_UNSENT, OUTCOME_UPSTREAM_ERROR);
    run_whole("", 503, false, RELAY_SENT, OUTCOME_UPSTREAM_ERROR);
    run_whole("<html>", 200, false, RELAY_SENT, OUTCOME_OK);
}

/* Bytes that are not read: nothing can be told behind them. */
static void run_opaque(const char *body, bool is_broken_off, enum relay_how how, enum exchange_outcome outcome)
{
    struct fault why = {.code = FAULT_UPSTREAM_CLOSED};
    struct kit k;
    kit_open(&k, type_events);
    k.head.content_encoding = SLICE("gzip");
    kit_feed(&k, slice_str(body), 1);
    kit_finish(&k, is_broken_off ? &why : NULL);
    EXPECT_INT(how, k.how);
    EXPECT_INT(outcome, k.outcome);
    EXPECT_INT(strlen(body), buf_len(&k.out));
    kit_check_left(&k, slice_str(body));
    kit_close(&k);
    if (k.wrong) UNIT_FAIL("%s", k.wrong);
}

static void every_end_of_bytes(void)
{
    run_opaque("\x1F\x8B", false, RELAY_SENT, OUTCOME_OK);
    run_opaque("\x1F\x8B", true, RELAY_BROKEN, OUTCOME_INCOMPLETE);
    run_opaque("", false, RELAY_UNSENT, OUTCOME_UPSTREAM_ERROR);
    run_opaque("", true, RELAY_UNSENT, OUTCOME_UPSTREAM_ERROR);
}

/* --- from the gateway's side --- */

static void expect_cut(struct kit *k, enum relay_how how)
{
    kit_do(k, KIT_CUT);
    EXPECT_INT(how, k->how);
    EXPECT_INT(1, k->ends);
    EXPECT_INT(OUTCOME_DRAINED, k->outcome);
    kit_close(k);
    if (k->wrong) UNIT_FAIL("%s", k->wrong);
}

static void a_cut_is_told_between_events(void)
{
    static const char body[] = A A;
    for (size_t at = 0; at < sizeof body; at++) {
        struct kit k;
        kit_open(&k, type_events);
        kit_feed(&k, slice_of(body, at), 0);
        bool has_begun = k.heads;
        EXPECT_INT(has_begun, at >= sizeof A - 1);
        kit_do(&k, KIT_CUT);
        kit_check_left(&k, SLICE(A A));
        EXPECT_INT(at / (sizeof A - 1) * (sizeof A - 1) + (has_begun ? buf_len(&k.told) : 0), buf_len(&k.out));
        expect_cut(&k, has_begun ? RELAY_SENT : RELAY_UNSENT);
    }
}

/* act_in: the write in which it is cut; 0: behind what was fed. */
static void cut_large(size_t bytes, const char *behind, unsigned act_in, enum relay_how how)
{
    struct buf body = {0};
    struct kit k;
    buf_append(&body, SLICE("data: "));
    memset(buf_reserve(&body, bytes), 'x', bytes);
    buf_grew(&body, bytes);
    buf_append(&body, slice_str(behind));
    kit_open(&k, type_events);
    k.act = KIT_CUT, k.act_at = KIT_WRITE, k.act_in = act_in;
    kit_feed(&k, buf_slice(&body), LIMIT_EVENT_BYTES);
    kit_check_left(&k, buf_slice(&body));
    expect_cut(&k, how);
    buf_clear(&body);
}

/* Pieces of it are out: an error event would be a part of it. */
static void inside_a_large_event_a_cut_breaks(void)
{
    cut_large(3 * LIMIT_EVENT_BYTES, "", 0, RELAY_BROKEN);
    cut_large(3 * LIMIT_EVENT_BYTES, "\n", 0, RELAY_BROKEN);
    cut_large(3 * LIMIT_EVENT_BYTES, "\n\n", 0, RELAY_SENT);
    cut_large(3 * LIMIT_EVENT_BYTES, "\n\n: c", 0, RELAY_SENT);
    cut_large(3 * LIMIT_EVENT_BYTES, "\n\n", 1, RELAY_BROKEN);
    cut_large(3 * LIMIT_EVENT_BYTES, "\n\n", 2, RELAY_BROKEN);
    cut_large(3 * LIMIT_EVENT_BYTES, "\n\n", 3, RELAY_BROKEN);
    cut_large(3 * LIMIT_EVENT_BYTES, "\n\n", 4, RELAY_SENT);
}

static void a_large_event_that_breaks_off_breaks(void)
{
    struct buf body = {0};
    struct kit k;
    buf_append(&body, SLICE(A "data: "));
    memset(buf_reserve(&body, LIMIT_EVENT_BYTES), 'x', LIMIT_EVENT_BYTES);
    buf_grew(&body, LIMIT_EVENT_BYTES);
    kit_open(&k, type_events);
    kit_feed(&k, buf_slice(&body), 5000);
    kit_finish(&k, NULL);
    EXPECT_INT(RELAY_BROKEN, k.how);
    EXPECT_INT(OUTCOME_INCOMPLETE, k.outcome);
    kit_check_left(&k, buf_slice(&body));
    kit_close(&k);
    EXPECT(!k.wrong);
    buf_clear(&body);
}

static void bytes_that_are_not_read_break(void)
{
    struct kit k;
    kit_open(&k, type_events);
    k.head.content_encoding = SLICE("gzip");
    kit_feed(&k, SLICE("\x1F\x8B"), 0);
    expect_cut(&k, RELAY_BROKEN);
}

/* --- comments of one's own --- */

static void one_is_at_rest_only_between_events(void)
{
    static const char body[] = A ": c\r\n\r\n" A;
    struct kit k;
    size_t rests = 0;
    kit_open(&k, type_events);
    kit_begin(&k);
    EXPECT(!relay_is_at_rest(k.relay));
    for (size_t at = 0; at < sizeof body - 1; at++) {
        kit_feed(&k, slice_of(body + at, 1), 0);
        bool is_rest = kit_ends_event(slice_of(body, at + 1)) && body[at] == '\n' && buf_len(&k.out) == at + 1;
        EXPECT_INT(is_rest, relay_is_at_rest(k.relay));
        rests += is_rest;
    }
    EXPECT_INT(3, rests);
    kit_close(&k);
}

static void none_is_at_rest_behind_the_end_marker(void)
{
    struct kit k;
    kit_open(&k, type_events);
    kit_begin(&k);
    kit_feed(&k, SLICE(A), 0);
    EXPECT(relay_is_at_rest(k.relay));
    kit_feed(&k, SLICE("data: [DONE]\n\n"), 0);
    EXPECT(!relay_is_at_rest(k.relay));
    kit_close(&k);
}

#define MARKER "data: [DONE]\n\n"

/* What is written behind the sink's tail(): all that must wait with the end, and nothing else. */
static void expect_tail(const char *body, size_t step, bool has_delta, const char *tail)
{
    struct kit k;
    kit_open(&k, type_events);
    k.parts.hooks.has_delta = has_delta;
    kit_feed(&k, slice_str(body), step);
    kit_finish(&k, NULL);
    kit_answer_all(&k);
    EXPECT_INT(1, k.ends);
    EXPECT_INT(tail != NULL, k.tails);
    struct slice out = buf_slice(&k.out);
    if (tail) EXPECT_SLICE(slice_str(tail), slice_of(out.ptr + k.tail_at, out.len - k.tail_at));
    kit_close(&k);
    if (k.wrong) UNIT_FAIL("%s", k.wrong);
}

static void the_end_of_a_stream_is_announced(void)
{
    for (int has_delta = 0; has_delta < 2; has_delta++) {
        for (size_t step = 0; step < 40; step++) {
            expect_tail(A A MARKER, step, has_delta, MARKER);
            expect_tail(A MARKER ": bye\n\n", step, has_delta, MARKER ": bye\n\n");
            expect_tail(A "data: [DONE]\r\n\r\n", step, has_delta, "data: [DONE]\r\n\r\n");
            expect_tail(A "data: [DONE]\r\r", step, has_delta, "data: [DONE]\r\r");
            expect_tail(A "data: [DONE]", step, has_delta, "data: [DONE]");
            expect_tail(A ERROR, step, has_delta, ERROR);
            expect_tail(A KIT_FINISH, step, has_delta, NULL);
        }
    }
}

static void an_error_of_ours_is_announced_too(void)
{
    struct fault why = {.code = FAULT_DRAINING};
    struct kit k;
    kit_open(&k, type_events);
    kit_feed(&k, SLICE(A), 0);
    EXPECT_INT(0, k.tails);
    relay_cut(k.relay, &why, OUTCOME_DRAINED);
    EXPECT_INT(1, k.tails);
    EXPECT_INT(strlen(A), k.tail_at);
    kit_close(&k);
}

static bool has_left(const struct kit *k, const char *text)
{
    size_t len = strlen(text);
    for (size_t at = 0; at + len <= buf_len(&k->out); at++)
        if (memcmp(buf_ptr(&k->out) + at, text, len) == 0) return true;
    return false;
}

/* Its own words go out, and never an end marker; before anything left nothing is said, and where nothing can be told the
 * connection must. */
static void refused_it_ends_with_the_denial(void)
{
    static const char body[] = A A;
    struct verdict no = {.kind = VERDICT_DENY, .status = 402, .code = SLICE("budget_cut"), .policy = SLICE("budget"),
                         .rule = SLICE("sales@100%"), .reason = SLICE("no more")};
    for (size_t at = 0; at < sizeof body; at++) {
        struct kit k;
        kit_open(&k, type_events);
        kit_feed(&k, slice_of(body, at), 0);
        bool has_begun = k.heads;
        relay_refuse(k.relay, &no);
        EXPECT_INT(1, k.ends);
        EXPECT(k.has_refusal);
        EXPECT_INT(OUTCOME_DENIED, k.outcome);
        EXPECT_INT(has_begun ? RELAY_SENT : RELAY_UNSENT, k.how);
        EXPECT_INT(has_begun, k.tails);
        EXPECT_INT(has_begun, has_left(&k, "budget_cut"));
        EXPECT(!has_left(&k, "[DONE]"));
        relay_refuse(k.relay, &no);
        EXPECT_INT(1, k.ends);
        kit_close(&k);
    }
}

int main(void)
{
    RUN(every_end_of_a_stream);
    RUN(every_end_of_a_whole_answer);
    RUN(every_end_of_bytes);
    RUN(a_cut_is_told_between_events);
    RUN(inside_a_large_event_a_cut_breaks);
    RUN(a_large_event_that_breaks_off_breaks);
    RUN(bytes_that_are_not_read_break);
    RUN(one_is_at_rest_only_between_events);
    RUN(the_end_of_a_stream_is_announced);
    RUN(an_error_of_ours_is_announced_too);
    RUN(refused_it_ends_with_the_denial);
    RUN(none_is_at_rest_behind_the_end_marker);
    loop_free(kit_loop);
    return unit_close("relay_out");
}
