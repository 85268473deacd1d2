/*
 * Streams of Gemini's through a relay: events, and elements of a JSON array. However it is cut all bytes leave as they
 * came, each element as soon as it is whole; texts are masked and judged across elements; what breaks off ends in a
 * whole array with an error in it.
 */
#include "../unit.h"

#include "relay_kit.h"

#define PIECE(text) "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"" text "\"}],\"role\":\"model\"}}]}"
#define LAST                                                                                                           \
    "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}]},\"finishReason\":\"STOP\"}],\"usageMetadata\":"        \
    "{\"promptTokenCount\":4,\"candidatesTokenCount\":3,\"totalTokenCount\":7}}"
#define WHOLE "[" PIECE("Hel") "\n,\r\n" PIECE("lo {]\\\"") ",\r\n" LAST "\n]\n"

static void open_list(struct kit *k)
{
    kit_open(k, "application/json; charset=UTF-8");
    k->parts.provider = k->parts.client = &dialect_gemini;
    k->x->request.is_stream = true;
}

static void expect_sent(struct kit *k, const char *want)
{
    EXPECT_SLICE(slice_str(want), buf_slice(&k->out));
    EXPECT_INT(RELAY_SENT, k->how);
    EXPECT_INT(OUTCOME_OK, k->outcome);
    EXPECT(!k->wrong);
}

static void expect_whole(struct kit *k)
{
    struct relay_report report = relay_report(k->relay);
    expect_sent(k, WHOLE);
    EXPECT(report.is_stream && !report.is_cut && !report.has_error);
    EXPECT_INT(3, report.usage->output_tokens);
    EXPECT_STR("STOP", report.finish_reason);
    EXPECT_INT(0, report.unread_bytes);
    EXPECT_INT(0, k->x->response.inspect_errors);
}

static void an_array_leaves_as_it_came_however_it_is_cut(void)
{
    struct slice bytes = SLICE(WHOLE);
    for (size_t step = 1; step < 9; step++) {
        struct kit k;
        open_list(&k);
        kit_feed(&k, bytes, step);
        kit_finish(&k, NULL);
        expect_whole(&k);
        kit_close(&k);
    }
    for (size_t from = 0; from <= bytes.len; from++) {
        struct kit k;
        open_list(&k);
        kit_feed_cut(&k, bytes, from, (from + bytes.len) / 2);
        kit_finish(&k, NULL);
        expect_whole(&k);
        kit_close(&k);
    }
}

static void an_element_leaves_as_soon_as_it_is_whole(void)
{
    struct kit k;
    open_list(&k);
    kit_feed(&k, SLICE("[" PIECE("Hel")), 0);
    EXPECT_SLICE(SLICE("[" PIECE("Hel")), buf_slice(&k.out));
    kit_feed(&k, SLICE("\n,\r\n{\"candidates\":[{"), 0);
    EXPECT_SLICE(SLICE("[" PIECE("Hel")), buf_slice(&k.out));
    kit_do(&k, KIT_STOP);
    kit_close(&k);
}

static void what_breaks_off_ends_in_a_whole_array(void)
{
    struct slice bytes = SLICE(WHOLE);
    size_t first = sizeof "[" PIECE("Hel") - 1;
    for (size_t at = 1; at < bytes.len; at++) {
        struct fault why = {.code = FAULT_UPSTREAM_CLOSED};
        struct json_tape tape;
        struct kit k;
        json_init(&tape);
        open_list(&k);
        kit_feed(&k, slice_of(bytes.ptr, at), 0);
        kit_finish(&k, &why);
        EXPECT(!k.wrong);
        if (at < first) {
            EXPECT_INT(RELAY_UNSENT, k.how);
        } else if (k.outcome != OUTCOME_OK) {
            EXPECT_INT(RELAY_SENT, k.how);
            EXPECT_INT(OUTCOME_INCOMPLETE, k.outcome);
            if (!json_parse(&tape, buf_slice(&k.out), &why)) UNIT_FAIL("no array: %.*s", SLICE_FMT(buf_slice(&k.out)));
            EXPECT(kit_holds(&k.out, "\"error\":{\"code\":502"));
        }
        json_clear(&tape);
        kit_close(&k);
    }
}

static void expect_masked(const char *bytes, const char *want)
{
    for (size_t step = 0; step < 40; step++) {
        struct kit k;
        open_list(&k);
        kit_redact(&k);
        k.x->request.is_stream = true;
        kit_feed(&k, slice_str(bytes), step);
        kit_finish(&k, NULL);
        expect_sent(&k, want);
        kit_close(&k);
    }
}

#define PARTS(list) "{\"candidates\":[{\"content\":{\"parts\":[" list "]}}]}"
#define THOUGHT(text) "{\"text\":\"" text "\",\"thought\":true}"
#define TEXT(text) "{\"text\":\"" text "\"}"

static void masks_are_right_across_elements_and_parts(void)
{
    expect_masked("[" PIECE("a EMP-123") ",\n" PIECE("456 b") "," LAST "]",
                  "[" PIECE("a [employee_id]") ",\n" PIECE(" b") "," LAST "]");
    /* The answer goes on in another place than that where it stood; a thought is no part of it. */
    expect_masked("[" PARTS(THOUGHT("EMP-77") "," TEXT("to [ema")) "," PARTS(TEXT("il] EMP-12")) "," PARTS(TEXT("3456"))
                      "," LAST "]",
                  "[" PARTS(THOUGHT("EMP-77") "," TEXT("to ana@example.com")) "," PARTS(TEXT(" [employee_id]"))
                      "," LAST "]"); /* of the third nothing was left */
    /* What is asked of a tool stands whole, or in pieces; what spells a text once more goes with it. */
    expect_masked("[" PARTS("{\"functionCall\":{\"name\":\"f\",\"args\":{\"data\":[{\"id\":\"EMP-123456\"}]}}}") ","
                      PARTS("{\"functionCall\":{\"partialArgs\":[{\"jsonPath\":\"$.a\",\"stringValue\":\"EMP-12\"}]}}") ","
                      PARTS("{\"functionCall\":{\"partialArgs\":[{\"jsonPath\":\"$.a\",\"stringValue\":\"3456\"}]}}") ","
                      "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"EMP-123456\"}]},\"logprobsResult\":{\"x\":\"EMP\"}}]},"
                      LAST "]",
                  "[" PARTS("{\"functionCall\":{\"name\":\"f\",\"args\":{\"data\":[{\"id\":\"[employee_id]\"}]}}}") ","
                      PARTS("{\"functionCall\":{\"partialArgs\":[{\"jsonPath\":\"$.a\",\"stringValue\":\"[employee_id]\"}]}}") ","
                      PARTS("{\"functionCall\":{\"partialArgs\":[{\"jsonPath\":\"$.a\",\"stringValue\":\"\"}]}}") ","
                      "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"[employee_id]\"}]},\"logprobsResult\":null}]},"
                      LAST "]");
}

static void what_is_no_object_is_not_let_through_unread(void)
{
    static const char *const bad[] = {"[\"EMP-123456\"," LAST "]", "[" LAST ",\"EMP-123456\"]", "[" LAST "]EMP-123456",
                                      "[[" LAST "]]"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct kit k;
        open_list(&k);
        kit_redact(&k);
        k.x->request.is_stream = true;
        kit_feed(&k, slice_str(bad[i]), i);
        kit_finish(&k, NULL);
        EXPECT(!kit_holds(&k.out, "123456"));
        EXPECT_INT(OUTCOME_POLICY_ERROR, k.outcome);
        EXPECT(!k.wrong);
        kit_close(&k);
        open_list(&k); /* with nobody to read it, it goes through as it came */
        kit_feed(&k, slice_str(bad[i]), i);
        kit_finish(&k, NULL);
        EXPECT_SLICE(slice_str(bad[i]), buf_slice(&k.out));
        EXPECT(!k.wrong);
        kit_close(&k);
    }
}

static void what_is_said_is_judged_and_held(void)
{
    struct kit k;
    open_list(&k);
    k.parts.hooks.has_delta = k.parts.hooks.has_response = k.parts.hooks.buffers = true;
    kit_feed(&k, SLICE(WHOLE), 7);
    EXPECT_INT(0, buf_len(&k.out));
    kit_finish(&k, NULL);
    EXPECT_SLICE(SLICE("Hello {]\""), buf_slice(&k.asked));
    expect_whole(&k);
    kit_close(&k);
    open_list(&k);
    k.parts.hooks.has_delta = true;
    k.denied = "lo";
    kit_feed(&k, SLICE("[" PIECE("Hel")), 0);
    kit_feed(&k, SLICE("," PIECE("lo") "," LAST "]"), 0);
    kit_finish(&k, NULL);
    EXPECT(!kit_holds(&k.out, "\"lo\""));
    EXPECT_INT(OUTCOME_DENIED, k.outcome);
    EXPECT(!k.wrong);
    kit_close(&k);
}

/* Too large to be kept: it leaves in pieces, and is read on the way. */
static void an_element_over_the_bound_goes_through_and_is_read(void)
{
    struct buf bytes;
    struct kit k;
    buf_init(&bytes);
    buf_append(&bytes, SLICE("[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\""));
    for (size_t i = 0; i < 3 * LIMIT_EVENT_BYTES / 4; i++)
        buf_append(&bytes, SLICE("a ]} "));
    buf_append(&bytes, SLICE("\"}]},\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":4,"
                             "\"candidatesTokenCount\":30}}]"));
    open_list(&k);
    kit_feed(&k, buf_slice(&bytes), 1000);
    EXPECT(buf_len(&k.out) > LIMIT_EVENT_BYTES);
    kit_finish(&k, NULL);
    EXPECT_SLICE(buf_slice(&bytes), buf_slice(&k.out));
    EXPECT_INT(OUTCOME_OK, k.outcome);
    EXPECT_INT(30, relay_report(k.relay).usage->output_tokens);
    EXPECT(!k.wrong);
    kit_close(&k);
    buf_clear(&bytes);
}

#define EVENTS "data: " PIECE("Hel") "\r\n\r\ndata: " PIECE("lo") "\r\n\r\ndata: " LAST "\r\n\r\n"

static void events_are_whole_by_what_they_say(void)
{
    struct slice bytes = SLICE(EVENTS);
    for (size_t from = 0; from <= bytes.len; from++) {
        struct kit k;
        open_list(&k);
        k.head.content_type = SLICE("text/event-stream");
        kit_feed_cut(&k, bytes, from, from);
        kit_finish(&k, NULL);
        expect_sent(&k, EVENTS);
        kit_close(&k);
    }
    struct kit k;
    open_list(&k);
    kit_feed(&k, SLICE("data: " PIECE("Hel") "\r\n\r\n"), 0);
    kit_finish(&k, NULL);
    EXPECT_INT(OUTCOME_INCOMPLETE, k.outcome);
    EXPECT(kit_holds(&k.out, "\r\n\r\ndata: {\"error\":{\"code\":502"));
    kit_close(&k);
}

int main(void)
{
    RUN(an_array_leaves_as_it_came_however_it_is_cut);
    RUN(an_element_leaves_as_soon_as_it_is_whole);
    RUN(what_breaks_off_ends_in_a_whole_array);
    RUN(masks_are_right_across_elements_and_parts);
    RUN(what_is_no_object_is_not_let_through_unread);
    RUN(what_is_said_is_judged_and_held);
    RUN(an_element_over_the_bound_goes_through_and_is_read);
    RUN(events_are_whole_by_what_they_say);
    loop_free(kit_loop);
    return unit_close("relay_list");
}
