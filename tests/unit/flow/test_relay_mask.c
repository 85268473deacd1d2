/* What is masked and what comes back in an answer on its way, however it is cut; what cannot be read is refused. */
#include "../unit.h"

#include "relay_tap.h"

static const char type_events[] = "text/event-stream", type_json[] = "application/json";

static void open_masked(struct kit *k, const char *type)
{
    kit_open(k, type);
    kit_redact(k);
}

/* Cut everywhere, and at every pair of places where it is short: what leaves, and that it ends so. */
static void expect_cut(const char *type, const char *body, const char *left, size_t from, size_t to)
{
    struct kit k;
    open_masked(&k, type);
    kit_feed_cut(&k, slice_str(body), from, to);
    kit_finish(&k, NULL);
    EXPECT_INT(RELAY_SENT, k.how);
    EXPECT_SLICE(slice_str(left), buf_slice(&k.out));
    kit_check_left(&k, slice_str(left));
    kit_close(&k);
    if (k.wrong) UNIT_FAIL("cut at %zu and %zu: %s", from, to, k.wrong);
}

#define SHORT 130 /* bytes */

static void expect_left(const char *type, const char *body, const char *left)
{
    size_t len = strlen(body);
    for (size_t from = 0; from <= len && !unit_case_failures; from++) {
        for (size_t to = from; to <= (len < SHORT ? len : from); to++)
            expect_cut(type, body, left, from, to);
    }
}

static void a_secret_over_two_events_is_masked(void)
{
    expect_left(type_events, KIT_DELTA("it is EMP-12") KIT_DELTA("3999, ok") KIT_DONE,
                KIT_DELTA("it is [employee_id]") KIT_DELTA(", ok") KIT_DONE);
    expect_left(type_events, KIT_DELTA("EM") KIT_DELTA("P-") KIT_DELTA("12") KIT_DELTA("3999") KIT_FINISH,
                KIT_DELTA("[employee_id]") KIT_DELTA("") KIT_DELTA("") KIT_DELTA("") KIT_FINISH);
    expect_left(type_events, "data: {\"choices\":[{\"text\":\"EMP-123999\"}]}\n\ndata: [DONE]\n\n",
                "data: {\"choices\":[{\"text\":\"[employee_id]\"}]}\n\ndata: [DONE]\n\n");
}

/* What was asked for is nothing to it. */
static void events_that_nobody_asked_for_are_masked_as_well(void)
{
    expect_left(type_json, KIT_DELTA("EMP-12") KIT_DELTA("3999") KIT_DONE,
                KIT_DELTA("[employee_id]") KIT_DELTA("") KIT_DONE);
    expect_left(type_events, KIT_WHOLE("EMP-123999"), KIT_WHOLE("[employee_id]"));
}

static void what_was_masked_in_the_request_comes_back(void)
{
    expect_left(type_events, KIT_DELTA("to [ema") KIT_DELTA("il]!") KIT_DONE,
                KIT_DELTA("to ana@example.com") KIT_DELTA("!") KIT_DONE);
    expect_left(type_json, KIT_WHOLE("to [email]!"), KIT_WHOLE("to ana@example.com!"));
    expect_left(type_json, "\xEF\xBB\xBF" KIT_WHOLE("to [email]!"), KIT_WHOLE("to ana@example.com!"));
}

#define PLAIN ": c\n\n" KIT_DELTA("a\\u0020b") "event: x\nid: 3\ndata: {\"choices\":[]}\r\n\r\n" KIT_DONE

static void what_holds_nothing_leaves_as_it_came(void)
{
    expect_left(type_events, PLAIN, PLAIN);
    expect_left(type_events, "data: {\"choices\":[\ndata: ]}\n\ndata\n\ndata: [DONE]\n\n",
                "data: {\"choices\":[\ndata: ]}\n\ndata\n\ndata: [DONE]\n\n");
    expect_left(type_json, "\xEF\xBB\xBF" KIT_WHOLE("plain"), "\xEF\xBB\xBF" KIT_WHOLE("plain"));
}

static void what_is_no_json_is_one_text(void)
{
    expect_left(type_events, "data: my EMP-123999\n\ndata: [DONE]\n\n", "data: my [employee_id]\n\ndata: [DONE]\n\n");
    expect_left(type_json, "my EMP-123999", "my [employee_id]");
    expect_left(type_json, "[\"EMP-123999\"]", "[\"[employee_id]\"]");
}

#define TAIL(text) "data: {\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}"

static void a_tail_is_masked_as_well(void)
{
    expect_left(type_events, KIT_DELTA("EMP-12") KIT_FINISH TAIL("EMP-123999"),
                KIT_DELTA("EMP-12") KIT_FINISH TAIL("[employee_id]"));
    expect_left(type_events, KIT_DELTA("EMP-12") KIT_FINISH ": half a com",
                KIT_DELTA("EMP-12") KIT_FINISH ": half a com");
}

static void expect_refused(struct kit *k, size_t step, size_t bytes, const char *before, const char *behind)
{
    struct buf body = {0};
    buf_append(&body, slice_str(before));
    memset(buf_reserve(&body, bytes), 'x', bytes);
    buf_grew(&body, bytes);
    buf_append(&body, slice_str(behind));
    kit_feed(k, buf_slice(&body), step);
    kit_finish(k, NULL);
    EXPECT_INT(1, k->ends);
    EXPECT(k->has_refusal);
    EXPECT_INT(OUTCOME_POLICY_ERROR, k->outcome);
    buf_clear(&body);
}

static void what_cannot_be_read_is_refused_before_anything_left(void)
{
    static const size_t steps[] = {0, 65536, 5000};
    for (size_t i = 0; i < 3; i++) {
        struct kit k;
        open_masked(&k, type_json);
        expect_refused(&k, steps[i], LIMIT_RESPONSE_INSPECT_BYTES, "{\"a\":\"", "\"}");
        EXPECT_INT(RELAY_UNSENT, k.how);
        kit_close(&k);
        open_masked(&k, type_events);
        expect_refused(&k, steps[i], LIMIT_REDACT_EVENT_BYTES, "data: ", "\n\n");
        EXPECT_INT(RELAY_UNSENT, k.how);
        kit_close(&k);
        EXPECT(!k.wrong);
    }
}

/* Clients are less strict: what our reader does not take for JSON can spell a secret in escapes, which no detector sees. */
static void json_that_others_read_is_refused(void)
{
    static const char *const odd[] = {"{\"choices\":[{\"delta\":{\"content\":\"\\ud800 \\u0045MP-123999\"}}]}",
                                      " {\"choices\":[{\"delta\":{\"content\":\"\xFF \\u0045MP-123999\"}}]}",
                                      "{\"choices\":[{\"delta\":{\"content\":\"\\u0045MP-123999\"}}]}}"};
    for (size_t i = 0; i < 3; i++) {
        struct kit k;
        char event[256];
        open_masked(&k, type_json);
        expect_refused(&k, 0, 0, odd[i], "");
        EXPECT_INT(RELAY_UNSENT, k.how);
        kit_close(&k);
        open_masked(&k, type_events);
        snprintf(event, sizeof event, "data: %s\n\n", odd[i]);
        expect_refused(&k, 0, 0, event, KIT_DONE);
        EXPECT_INT(RELAY_UNSENT, k.how);
        kit_close(&k);
        EXPECT(!k.wrong);
    }
}

/* Its connection breaks behind that word, before anything that waited has left. */
static void the_providers_own_error_leaves_though_it_broke_off(void)
{
    static const char *const errors[] = {"event: error\ndata: {\"message\":\"busy\"}\n\n",
                                         "event: error\ndata: busy\n\n", "data: {\"error\":\"busy\"}\n\n",
                                         "data: {\"error\":{\"message\":\"busy\"}}\n\n"};
    for (size_t i = 0; i < 2 * sizeof errors / sizeof errors[0]; i++) {
        struct fault why = {.code = FAULT_UPSTREAM_CLOSED};
        struct buf body = {0};
        struct kit k;
        buf_append(&body, SLICE(KIT_DELTA("EMP-12")));
        buf_append(&body, slice_str(errors[i / 2]));
        open_masked(&k, type_events);
        k.parts.hooks.has_delta = i % 2;
        kit_feed(&k, buf_slice(&body), 1);
        kit_finish(&k, &why);
        EXPECT_INT(RELAY_SENT, k.how);
        EXPECT_INT(OUTCOME_UPSTREAM_ERROR, k.outcome);
        EXPECT_SLICE(buf_slice(&body), buf_slice(&k.out));
        kit_close(&k);
        EXPECT(!k.wrong);
        buf_clear(&body);
    }
}

/* It begins as JSON, and a text of it may be anywhere: escaped, or in two lines. */
static void what_is_not_quite_json_is_refused(void)
{
    static const char *const bodies[] = {
        "{\"choices\":[{\"delta\":{\"content\":\"EMP-12\"}}]}\n{\"choices\":[{\"delta\":{\"content\":\"3999\"}}]}\n",
        KIT_WHOLE("EMP-123999") "\ndata: [DONE]\n\n",
        "\xEF\xBB\xBF {\"score\":NaN,\"choices\":[{\"message\":{\"content\":\"EMP-\\u0031\\u00323999\"}}]}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        for (size_t step = 0; step <= strlen(bodies[i]); step++) {
            struct kit k;
            open_masked(&k, i % 2 ? type_json : "application/x-ndjson");
            kit_feed(&k, slice_str(bodies[i]), step);
            kit_finish(&k, NULL);
            EXPECT_INT(RELAY_UNSENT, k.how);
            EXPECT_INT(OUTCOME_POLICY_ERROR, k.outcome);
            EXPECT_INT(0, k.heads);
            kit_close(&k);
            EXPECT(!k.wrong);
        }
    }
}

/* Behind what left the refusal is told, and nothing of the event that was too large stands before it. */
static void behind_what_left_a_refusal_is_told(void)
{
    static const size_t steps[] = {0, 65536, 5000};
    for (size_t i = 0; i < 3; i++) {
        struct kit k;
        open_masked(&k, type_events);
        expect_refused(&k, steps[i], LIMIT_REDACT_EVENT_BYTES, KIT_DELTA("a "), "\n\n" KIT_DONE);
        EXPECT_INT(0, k.heads - (k.how == RELAY_SENT));
        kit_check_left(&k, SLICE(KIT_DELTA("a ")));
        kit_close(&k);
        EXPECT(!k.wrong);
    }
}

static void expect_coding_refused(const char *type, bool is_stream, int status, bool with_delta)
{
    struct kit k;
    open_masked(&k, type);
    k.x->request.is_stream = is_stream;
    k.parts.hooks.has_delta = with_delta;
    k.head.content_encoding = SLICE("gzip");
    k.head.status = status;
    kit_feed(&k, SLICE("\x1F\x8B\x08 EMP-123999"), 1);
    kit_finish(&k, NULL);
    EXPECT_INT(RELAY_UNSENT, k.how);
    EXPECT(k.has_refusal);
    kit_close(&k);
    EXPECT(!k.wrong);
}

static void what_has_a_coding_is_refused(void)
{
    for (int is_stream = 0; is_stream < 2; is_stream++) {
        for (int with_delta = 0; with_delta < 2; with_delta++) {
            expect_coding_refused(type_json, is_stream, 200, with_delta);
            expect_coding_refused(type_events, is_stream, 200, with_delta);
            expect_coding_refused("", is_stream, 500, with_delta);
        }
    }
}

/* UTF-16, and a coding that the head says nothing of. */
static void what_is_no_text_is_refused(void)
{
    static const struct slice bodies[] = {
        SLICE("\xFF\xFE{\0\"\0E\0M\0P\0"), SLICE("{\0\"\0E\0M\0P\0-\0"), SLICE("\x1F\x8B\x08 EMP-123999")};
    static const int statuses[] = {200, 400};
    for (size_t i = 0; i < 6; i++) {
        struct kit k;
        open_masked(&k, i % 2 ? type_json : "");
        k.head.status = statuses[i % 2];
        kit_feed(&k, bodies[i / 2], 1);
        kit_finish(&k, NULL);
        EXPECT_INT(RELAY_UNSENT, k.how);
        EXPECT(k.has_refusal);
        kit_close(&k);
        EXPECT(!k.wrong);
    }
}

static void those_behind_read_what_the_client_will_see(void)
{
    for (size_t step = 0; step < 90; step++) {
        struct kit k;
        open_masked(&k, type_events);
        k.parts.hooks.has_delta = k.parts.hooks.has_response = k.parts.hooks.buffers = true;
        kit_feed(&k, SLICE(KIT_DELTA("it is EMP-12") KIT_DELTA("3999, [email]") KIT_DONE), step);
        kit_finish(&k, NULL);
        EXPECT_SLICE(SLICE("it is [employee_id], ana@example.com"), buf_slice(&k.allowed));
        EXPECT_SLICE(SLICE("it is [employee_id], ana@example.com"), buf_slice(&k.x->response.text));
        EXPECT_INT(1, k.responses);
        kit_close(&k);
        EXPECT(!k.wrong);
    }
}

/* What goes on is read anew: the reading that came with it must say the same. */
static void the_reading_moves_with_the_text(void)
{
    static const char body[] = KIT_DELTA("a EMP-123999 b [email]")
                               "data: {\"choices\":[\ndata: {\"index\":0,\"logprobs\":{\"content\":[]},"
                               "\"delta\":{\"reasoning\":\"EMP-123999\",\n"
                               "data: \"content\":\"x EMP-123999 [email] \"}}]}\n\n" KIT_DONE;
    for (size_t step = 0; step < sizeof body; step++) {
        struct kit k, again;
        struct tap behind_mask, behind_read;
        open_masked(&k, type_events);
        kit_begin(&k);
        tap_open(&behind_mask, &k, &k.relay->mask->next);
        kit_feed(&k, slice_str(body), step);
        mask_flush(k.relay->mask);
        struct buf plain = {0}; /* the tap's braces stand around events */
        for (size_t i = 0; i < buf_len(&behind_mask.seen); i++) {
            struct slice rest = slice_of(buf_ptr(&behind_mask.seen) + i, buf_len(&behind_mask.seen) - i);
            bool is_behind = i && slice_starts(slice_of(rest.ptr - 1, 2), SLICE("\n}"));
            bool is_border = is_behind || slice_starts(rest, SLICE("{data"));
            if (!is_border) buf_append_char(&plain, *rest.ptr);
        }
        kit_open(&again, type_events);
        kit_begin(&again);
        tap_open(&behind_read, &again, &again.relay->first->next);
        kit_feed(&again, buf_slice(&plain), 0);
        EXPECT_SLICE(buf_slice(&behind_read.texts), buf_slice(&behind_mask.texts));
        EXPECT(buf_len(&behind_read.texts) > 0);
        tap_close(&behind_read);
        tap_close(&behind_mask);
        buf_clear(&plain);
        kit_close(&again);
        kit_close(&k);
    }
}

#define FIFTY "fifty letters and blanks of a text that is judged  "
#define BATCH FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY

/* What settles a text sends several events on: behind the first of them nobody may be there any more. */
static void who_goes_while_what_waited_leaves_is_asked_for_no_more(void)
{
    for (enum kit_act act = KIT_FREE; act <= KIT_STOP; act++) {
        struct kit k;
        open_masked(&k, type_events);
        k.parts.hooks.has_delta = true;
        k.act = act, k.act_at = KIT_WRITE, k.act_in = 1;
        kit_feed(&k, SLICE(KIT_DELTA(BATCH "EMP-1") KIT_DELTA("23999 " BATCH) KIT_DELTA(BATCH) KIT_DONE), 0);
        EXPECT_INT(KIT_NOTHING, k.act);
        EXPECT_INT(1, k.questions);
        kit_finish(&k, NULL);
        kit_check_left(&k, SLICE(KIT_DELTA(BATCH "[employee_id]")));
        kit_close(&k);
        if (k.wrong) UNIT_FAIL("act %d: %s", act, k.wrong);
    }
}

static void a_cut_lets_go_what_waits(void)
{
    struct kit k;
    open_masked(&k, type_events);
    kit_feed(&k, SLICE(KIT_DELTA("a ") KIT_DELTA("EMP-12")), 0);
    kit_do(&k, KIT_CUT);
    EXPECT_INT(RELAY_SENT, k.how);
    kit_check_left(&k, SLICE(KIT_DELTA("a ") KIT_DELTA("EMP-12")));
    kit_close(&k);
    EXPECT(!k.wrong);
}

int main(void)
{
    RUN(a_secret_over_two_events_is_masked);
    RUN(events_that_nobody_asked_for_are_masked_as_well);
    RUN(what_was_masked_in_the_request_comes_back);
    RUN(what_holds_nothing_leaves_as_it_came);
    RUN(what_is_no_json_is_one_text);
    RUN(a_tail_is_masked_as_well);
    RUN(what_cannot_be_read_is_refused_before_anything_left);
    RUN(the_providers_own_error_leaves_though_it_broke_off);
    RUN(what_is_not_quite_json_is_refused);
    RUN(json_that_others_read_is_refused);
    RUN(behind_what_left_a_refusal_is_told);
    RUN(what_has_a_coding_is_refused);
    RUN(what_is_no_text_is_refused);
    RUN(those_behind_read_what_the_client_will_see);
    RUN(the_reading_moves_with_the_text);
    RUN(who_goes_while_what_waited_leaves_is_asked_for_no_more);
    RUN(a_cut_lets_go_what_waits);
    loop_free(kit_loop);
    return unit_close("relay_mask");
}
