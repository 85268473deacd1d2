/* What waits for the policies' word: in which batches they are asked, and that nothing leaves before they said yes. */
#include "../unit.h"

#include "relay_tap.h"

static const char type_events[] = "text/event-stream", type_json[] = "application/json";

enum { DELTA = 1, RESPONSE = 2, BUFFERED = 4 };

static void open_held(struct kit *k, const char *type, unsigned hooks)
{
    kit_open(k, type);
    k->x->request.is_stream = type == type_events;
    k->parts.hooks.has_delta = hooks & DELTA;
    k->parts.hooks.has_response = hooks & RESPONSE;
    k->parts.hooks.buffers = hooks & BUFFERED;
}

static void close_held(struct kit *k, struct slice may)
{
    kit_check_left(k, may);
    kit_close(k);
    if (k->wrong) UNIT_FAIL("%s", k->wrong);
}

/* `count` events of one letter each. */
static void write_letters(struct buf *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_append(b, SLICE(KIT_DELTA("x")));
}

static void a_batch_is_full_by_its_bytes(void)
{
    struct buf body = {0};
    struct kit k;
    write_letters(&body, LIMIT_DELTA_BYTES - 1);
    open_held(&k, type_events, DELTA);
    kit_feed(&k, buf_slice(&body), 1);
    EXPECT_INT(0, k.questions);
    EXPECT_INT(0, buf_len(&k.out));
    EXPECT_INT(buf_len(&body), relay_held_bytes(k.relay));
    kit_feed(&k, SLICE(KIT_DELTA("y")), 1);
    buf_append(&body, SLICE(KIT_DELTA("y")));
    EXPECT_INT(1, k.questions);
    EXPECT_INT(LIMIT_DELTA_BYTES, buf_len(&k.allowed));
    EXPECT_SLICE(buf_slice(&body), buf_slice(&k.out));
    EXPECT_INT(0, relay_held_bytes(k.relay));
    close_held(&k, buf_slice(&body));
    buf_clear(&body);
}

static void a_batch_is_full_by_its_time(void)
{
    struct kit k;
    open_held(&k, type_events, DELTA);
    kit_feed(&k, SLICE(KIT_DELTA("a") KIT_DELTA("b")), 0);
    relay_pass_time(k.relay);
    EXPECT_SLICE(SLICE("ab"), buf_slice(&k.asked));
    EXPECT_INT(sizeof(KIT_DELTA("a") KIT_DELTA("b")) - 1, buf_len(&k.out));
    relay_pass_time(k.relay); /* nothing waits */
    EXPECT_INT(1, k.questions);
    kit_feed(&k, SLICE(KIT_DELTA("c")), 0);
    EXPECT_INT(1, k.questions);
    loop_run(kit_loop); /* the loop's own clock */
    EXPECT_SLICE(SLICE("abc"), buf_slice(&k.asked));
    EXPECT_INT(2, k.questions);
    close_held(&k, SLICE(KIT_DELTA("a") KIT_DELTA("b") KIT_DELTA("c")));
}

static void the_last_batch_is_asked_about_at_the_end(void)
{
    for (size_t step = 0; step < 200; step++) {
        struct kit k;
        open_held(&k, type_events, DELTA);
        kit_feed(&k, SLICE(KIT_DELTA("a") KIT_DELTA("b") KIT_DONE), step);
        EXPECT_INT(0, k.heads);
        kit_finish(&k, NULL);
        EXPECT_SLICE(SLICE("ab"), buf_slice(&k.asked));
        EXPECT_INT(1, k.questions);
        EXPECT_INT(OUTCOME_OK, k.outcome);
        close_held(&k, SLICE(KIT_DELTA("a") KIT_DELTA("b") KIT_DONE));
    }
}

/* Before the commit they wait for the first text; behind it they only keep their place. */
static void events_without_text_wait_only_before_the_first(void)
{
    struct kit k;
    open_held(&k, type_events, DELTA);
    kit_feed(&k, SLICE(": c\n\n" KIT_DELTA("")), 0);
    EXPECT_INT(0, k.heads);
    relay_pass_time(k.relay);
    EXPECT_INT(0, k.questions);
    EXPECT_SLICE(SLICE(": c\n\n" KIT_DELTA("")), buf_slice(&k.out));
    kit_feed(&k, SLICE(": d\n\n"), 0);
    EXPECT_SLICE(SLICE(": c\n\n" KIT_DELTA("") ": d\n\n"), buf_slice(&k.out));
    kit_feed(&k, SLICE(KIT_DELTA("a") ": e\n\n"), 0);
    EXPECT_SLICE(SLICE(": c\n\n" KIT_DELTA("") ": d\n\n"), buf_slice(&k.out));
    kit_finish(&k, NULL);
    EXPECT_INT(OUTCOME_INCOMPLETE, k.outcome);
    close_held(&k, SLICE(": c\n\n" KIT_DELTA("") ": d\n\n" KIT_DELTA("a") ": e\n\n"));
}

/* What comes while a question is open is of the next batch. */
static void a_question_is_answered_later(void)
{
    struct kit k;
    open_held(&k, type_events, DELTA);
    k.answers_later = true;
    kit_feed(&k, SLICE(KIT_DELTA("a")), 0);
    relay_pass_time(k.relay);
    EXPECT(k.is_asking);
    kit_feed(&k, SLICE(KIT_DELTA("b") KIT_DONE), 1);
    relay_pass_time(k.relay);
    EXPECT_INT(1, k.questions);
    EXPECT_INT(0, k.heads);
    EXPECT_INT(sizeof(KIT_DELTA("a") KIT_DELTA("b") KIT_DONE) - 1, relay_held_bytes(k.relay));
    kit_finish(&k, NULL);
    EXPECT_INT(0, k.ends);
    kit_answer(&k);
    EXPECT_SLICE(SLICE(KIT_DELTA("a")), buf_slice(&k.out));
    EXPECT_SLICE(SLICE("ab"), buf_slice(&k.asked));
    EXPECT_INT(0, k.ends);
    kit_answer(&k);
    EXPECT_INT(1, k.ends);
    close_held(&k, SLICE(KIT_DELTA("a") KIT_DELTA("b") KIT_DONE));
}

/* No letters of an id, which is told with the refusal. */
#define DENIED KIT_DELTA("good ") KIT_DELTA("wicked ") KIT_DELTA("more ") KIT_DONE

/* Cut everywhere; time passes at the cut or not; the word comes at once or later. */
static void run_denied(size_t at, bool passes, bool later, enum verdict_kind word)
{
    struct kit k;
    open_held(&k, type_events, DELTA);
    k.denied = "wicked";
    k.word = word;
    k.answers_later = later;
    kit_feed(&k, slice_of(DENIED, at), 0);
    if (passes) relay_pass_time(k.relay);
    kit_feed(&k, slice_of(&DENIED[at], sizeof DENIED - 1 - at), 0);
    kit_finish(&k, NULL);
    kit_answer_all(&k);
    EXPECT_INT(1, k.ends);
    EXPECT(k.has_refusal);
    EXPECT_INT(word == VERDICT_DENY ? OUTCOME_DENIED : OUTCOME_POLICY_ERROR, k.outcome);
    EXPECT(!kit_holds(&k.out, "wicked"));
    EXPECT(!kit_holds(&k.out, "more"));
    EXPECT_INT(k.heads ? RELAY_SENT : RELAY_UNSENT, k.how);
    size_t good = sizeof KIT_DELTA("good ") - 1, wicked = sizeof KIT_DELTA("wicked ") - 1;
    bool is_behind_good = passes && at >= good && at < good + wicked;
    EXPECT_INT(is_behind_good, k.heads);
    close_held(&k, SLICE(KIT_DELTA("good ")));
}

static void what_is_denied_never_leaves(void)
{
    for (size_t at = 0; at < sizeof DENIED; at++) {
        for (int bits = 0; bits < 8; bits++)
            run_denied(at, bits & 1, bits & 2, bits & 4 ? VERDICT_DENY : VERDICT_FAULT);
    }
}

static void a_denied_tail_never_leaves(void)
{
    struct kit k;
    open_held(&k, type_events, DELTA);
    k.denied = "wicked";
    kit_feed(&k, SLICE(KIT_DELTA("good ")), 0);
    relay_pass_time(k.relay);
    kit_feed(&k, SLICE(KIT_FINISH "data: {\"choices\":[{\"delta\":{\"content\":\"wicked\"}}]}"), 0);
    kit_finish(&k, NULL);
    EXPECT_INT(OUTCOME_DENIED, k.outcome);
    close_held(&k, SLICE(KIT_DELTA("good ") KIT_FINISH));
}

#define BUFFER KIT_DELTA("a") ": c\n\n" KIT_DELTA("b") KIT_DONE

static void run_buffered(unsigned hooks, size_t step, unsigned denied_at)
{
    struct kit k;
    open_held(&k, type_events, hooks | BUFFERED);
    k.denied_at = denied_at;
    kit_feed(&k, SLICE(BUFFER), step);
    relay_pass_time(k.relay);
    EXPECT_INT(0, k.heads);
    EXPECT_INT(0, relay_held_bytes(k.relay)); /* its end would never come otherwise */
    kit_finish(&k, NULL);
    EXPECT_INT(1, k.ends);
    EXPECT_INT(denied_at ? RELAY_UNSENT : RELAY_SENT, k.how);
    EXPECT_INT(denied_at != 1 || !(hooks & DELTA), k.responses);
    EXPECT_INT(k.responses, relay_report(k.relay).is_judged);
    if (!denied_at || k.responses) EXPECT_SLICE(SLICE("ab"), buf_slice(&k.x->response.text));
    close_held(&k, SLICE(BUFFER));
}

static void a_buffered_stream_waits_for_its_last_word(void)
{
    for (size_t step = 0; step < sizeof BUFFER; step++) {
        for (unsigned denied_at = 0; denied_at <= 1; denied_at++) {
            run_buffered(RESPONSE, step, denied_at);
            run_buffered(RESPONSE | DELTA, step, denied_at);
        }
        run_buffered(RESPONSE | DELTA, step, 2);
    }
}

#define TAIL "data: {\"choices\":[{\"delta\":{\"content\":\"!\"}}]}"

/* The end marker came: that the connection broke behind it changes nothing, with or without half an event there. */
static void run_buffered_to_its_marker(const char *body, unsigned denied_at, const char *text)
{
    struct fault why = {.code = FAULT_UPSTREAM_CLOSED};
    struct kit k;
    open_held(&k, type_events, RESPONSE | BUFFERED);
    k.denied_at = denied_at;
    kit_feed(&k, slice_str(body), 7);
    kit_finish(&k, &why);
    EXPECT_INT(1, k.responses);
    EXPECT_SLICE(slice_str(text), buf_slice(&k.x->response.text));
    EXPECT_INT(denied_at ? RELAY_UNSENT : RELAY_SENT, k.how);
    close_held(&k, slice_str(body));
}

static void a_buffered_stream_is_complete_at_its_marker(void)
{
    for (unsigned denied_at = 0; denied_at <= 1; denied_at++) {
        run_buffered_to_its_marker(BUFFER, denied_at, "ab");
        run_buffered_to_its_marker(BUFFER TAIL, denied_at, "ab!");
        run_buffered_to_its_marker(KIT_DELTA("a") "event: error\ndata: x\n\n" KIT_DONE TAIL, denied_at, "a!");
    }
}

/* Nothing came that could be judged: another target's turn, and no policy's business. */
static void an_empty_stream_is_nobodys_business(void)
{
    static const char *const bodies[] = {"", "\n", KIT_USAGE};
    for (unsigned hooks = DELTA; hooks < 8; hooks++) {
        for (size_t i = 0; i < 3; i++) {
            struct kit k;
            open_held(&k, type_events, hooks);
            k.parts.drops_usage = true;
            kit_feed(&k, slice_str(bodies[i]), 0);
            kit_finish(&k, NULL);
            if (i != 1) EXPECT_INT(0, k.questions);
            if (i != 1) EXPECT_INT(RELAY_UNSENT, k.how);
            close_held(&k, slice_str(bodies[i]));
        }
    }
}

/* A tail alone is an answer still. */
static void a_tail_alone_is_judged(void)
{
    for (unsigned hooks = DELTA; hooks < 8; hooks++) {
        struct kit k;
        open_held(&k, type_events, hooks);
        kit_feed(&k, SLICE("data: {\"choices\":[{\"delta\":{\"content\":\"bad\"},\"finish_reason\":\"stop\"}]}"), 0);
        k.denied = "bad";
        kit_finish(&k, NULL);
        bool is_judged = hooks & DELTA || (hooks & RESPONSE && hooks & BUFFERED);
        EXPECT_INT(is_judged, k.questions);
        EXPECT_INT(is_judged ? 0 : 1, k.heads);
        kit_close(&k);
        EXPECT(!k.wrong);
    }
}

static void run_whole(unsigned hooks, const char *body, int status, unsigned denied_at, bool later)
{
    struct kit k;
    open_held(&k, type_json, hooks);
    k.denied_at = denied_at;
    k.head.status = status;
    k.answers_later = later;
    kit_feed(&k, slice_str(body), 1);
    kit_finish(&k, NULL);
    bool is_judged = hooks & RESPONSE && status == 200;
    EXPECT_INT(is_judged, k.questions);
    if (later && is_judged) EXPECT_INT(0, k.heads);
    kit_answer_all(&k);
    EXPECT_INT(!(denied_at && is_judged), k.heads);
    if (is_judged) EXPECT_SLICE(SLICE("Hello"), buf_slice(&k.x->response.text));
    close_held(&k, slice_str(body));
}

static void a_whole_answer_waits_for_its_word(void)
{
    for (unsigned hooks = DELTA; hooks < 8; hooks++) {
        for (int bits = 0; bits < 4; bits++) {
            run_whole(hooks, KIT_WHOLE("Hello"), 200, bits & 1, bits & 2);
            run_whole(hooks, KIT_WHOLE("Hello"), 404, bits & 1, bits & 2);
        }
    }
}

static void expect_refused(struct kit *k, const char *body)
{
    kit_feed(k, slice_str(body), 0);
    kit_finish(k, NULL);
    EXPECT(k->has_refusal);
    EXPECT_INT(RELAY_UNSENT, k->how);
    EXPECT_INT(0, k->questions);
    kit_close(k);
    EXPECT(!k->wrong);
}

static void what_cannot_be_read_is_refused(void)
{
    struct kit k;
    open_held(&k, type_json, RESPONSE);
    expect_refused(&k, "{\"choices\":");
    open_held(&k, type_json, RESPONSE);
    expect_refused(&k, "");
    open_held(&k, type_events, DELTA);
    k.head.content_encoding = SLICE("br");
    expect_refused(&k, KIT_DELTA("a"));
    open_held(&k, type_json, RESPONSE);
    k.head.content_encoding = SLICE("br");
    expect_refused(&k, KIT_WHOLE("a"));
    open_held(&k, type_events, DELTA); /* clients read a lone surrogate */
    expect_refused(&k, "data: {\"choices\":[{\"delta\":{\"content\":\"\\ud800 secret\"}}]}\n\n" KIT_DONE);
}

/* Behind an event that was let through, or as the first. */
static void run_large_event(unsigned hooks, bool is_behind, size_t step)
{
    struct buf body = {0};
    struct kit k;
    open_held(&k, type_events, hooks);
    if (is_behind) kit_feed(&k, SLICE(KIT_DELTA("a")), 0);
    if (is_behind) relay_pass_time(k.relay);
    bool has_begun = k.heads;
    buf_append(&body, SLICE("data: "));
    memset(buf_reserve(&body, LIMIT_REDACT_EVENT_BYTES), 'x', LIMIT_REDACT_EVENT_BYTES);
    buf_grew(&body, LIMIT_REDACT_EVENT_BYTES);
    buf_append(&body, SLICE("\n\n" KIT_DONE));
    kit_feed(&k, buf_slice(&body), step);
    kit_finish(&k, NULL);
    EXPECT(k.has_refusal);
    EXPECT_INT(OUTCOME_POLICY_ERROR, k.outcome);
    EXPECT_INT(has_begun ? RELAY_SENT : RELAY_UNSENT, k.how);
    close_held(&k, SLICE(KIT_DELTA("a")));
    buf_clear(&body);
}

static void an_event_too_large_to_be_read_is_refused(void)
{
    for (unsigned hooks = DELTA; hooks < 8; hooks++) {
        if (!(hooks & (DELTA | RESPONSE))) continue;
        for (int is_behind = 0; is_behind < 2; is_behind++) {
            run_large_event(hooks, is_behind, 0);
            run_large_event(hooks, is_behind, 50000);
        }
    }
}

/* with_text: that is too large; else the events around it. */
static void run_long_stream(unsigned hooks, bool with_text, bool is_refused)
{
    struct buf event = {0}, may = {0};
    struct kit k;
    open_held(&k, type_events, hooks);
    buf_printf(&event, "data: {\"%s\":[{\"delta\":{\"content\":\"", with_text ? "choices" : "others");
    memset(buf_reserve(&event, 60000), ' ', 60000);
    buf_grew(&event, 60000);
    buf_append(&event, SLICE("\"}}]}\n\n"));
    k.parts.vocabulary = NULL; /* counting takes long */
    for (size_t i = 0; i < 80; i++) {
        buf_append(&may, buf_slice(&event));
        kit_feed(&k, buf_slice(&event), 0);
    }
    kit_feed(&k, SLICE(KIT_DONE), 0);
    buf_append(&may, SLICE(KIT_DONE));
    kit_finish(&k, NULL);
    EXPECT_INT(is_refused, k.has_refusal);
    EXPECT(buf_len(&k.x->response.text) <= LIMIT_RESPONSE_INSPECT_BYTES + 60000);
    close_held(&k, buf_slice(&may));
    buf_clear(&event);
    buf_clear(&may);
}

static void a_stream_too_long_to_be_kept_is_refused(void)
{
    run_long_stream(DELTA, true, false);
    run_long_stream(RESPONSE, true, true);
    run_long_stream(RESPONSE | BUFFERED, true, true);
    run_long_stream(RESPONSE, false, false);
    run_long_stream(RESPONSE | BUFFERED, false, true);
}

/* Larger than may be kept. `hooks` that judge no answer in one piece let it through. */
static void expect_large(unsigned hooks, const char *encoding, int status, bool is_refused)
{
    struct buf body = {0};
    struct kit k;
    open_held(&k, type_json, hooks);
    k.head.content_encoding = slice_str(encoding);
    k.head.status = status;
    memset(buf_reserve(&body, LIMIT_RESPONSE_INSPECT_BYTES + 1), 'x', LIMIT_RESPONSE_INSPECT_BYTES + 1);
    buf_grew(&body, LIMIT_RESPONSE_INSPECT_BYTES + 1);
    kit_feed(&k, buf_slice(&body), 500000);
    kit_finish(&k, NULL);
    EXPECT_INT(is_refused, k.has_refusal);
    EXPECT_INT(is_refused ? RELAY_UNSENT : RELAY_SENT, k.how);
    close_held(&k, buf_slice(&body));
    buf_clear(&body);
}

static void what_nobody_judges_goes_through_however_large(void)
{
    expect_large(DELTA, "", 200, false);
    expect_large(DELTA, "gzip", 200, false);
    expect_large(RESPONSE, "", 200, true);
    expect_large(RESPONSE, "gzip", 200, true);
    expect_large(RESPONSE, "", 500, false);
    expect_large(RESPONSE, "gzip", 500, false);
    expect_large(DELTA | RESPONSE, "gzip", 500, false);
}

/* A stream broke off: before anything left it is another's turn; behind that the client is told. */
static void a_stream_that_broke_off_is_not_judged_any_more(void)
{
    struct fault why = {.code = FAULT_UPSTREAM_CLOSED};
    for (int is_committed = 0; is_committed < 2; is_committed++) {
        for (int later = 0; later < 2; later++) {
            struct kit k;
            open_held(&k, type_events, DELTA);
            kit_feed(&k, SLICE(KIT_DELTA("a")), 0);
            if (is_committed) relay_pass_time(k.relay);
            k.answers_later = later;
            kit_feed(&k, SLICE(KIT_DELTA("b")), 0);
            relay_pass_time(k.relay);
            k.is_finished = true;
            relay_finish(k.relay, &why);
            kit_answer_all(&k);
            EXPECT_INT(1, k.ends);
            EXPECT_INT(is_committed || !later ? RELAY_SENT : RELAY_UNSENT, k.how);
            close_held(&k, SLICE(KIT_DELTA("a") KIT_DELTA("b")));
        }
    }
}

int main(void)
{
    RUN(a_batch_is_full_by_its_bytes);
    RUN(a_batch_is_full_by_its_time);
    RUN(the_last_batch_is_asked_about_at_the_end);
    RUN(events_without_text_wait_only_before_the_first);
    RUN(a_question_is_answered_later);
    RUN(what_is_denied_never_leaves);
    RUN(a_denied_tail_never_leaves);
    RUN(a_buffered_stream_waits_for_its_last_word);
    RUN(a_buffered_stream_is_complete_at_its_marker);
    RUN(an_empty_stream_is_nobodys_business);
    RUN(a_tail_alone_is_judged);
    RUN(a_whole_answer_waits_for_its_word);
    RUN(what_cannot_be_read_is_refused);
    RUN(an_event_too_large_to_be_read_is_refused);
    RUN(a_stream_too_long_to_be_kept_is_refused);
    RUN(what_nobody_judges_goes_through_however_large);
    RUN(a_stream_that_broke_off_is_not_judged_any_more);
    loop_free(kit_loop);
    return unit_close("relay_hold");
}
