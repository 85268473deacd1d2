/* What came is put into pieces by what it is, never by how it was cut or what it was called. */
#include "../unit.h"

#include "relay_tap.h"

#define MARK "\xEF\xBB\xBF"

struct framing {
    const char *type, *body, *seen;
    enum relay_form form;
};

static const char type_events[] = "text/event-stream; charset=utf-8", type_json[] = "application/json";

static const struct framing framings[] = {
    {type_events, "data: a\n\n: c\n\ndata: b\n\n", "{data: a\n\n}{: c\n\n}{data: b\n\n}", FORM_EVENTS},
    {type_events, "data: a\r\n\r\ndata: b\r\n\r\n", "{data: a\r\n\r\n}{data: b\r\n\r\n}", FORM_EVENTS},
    {type_events, "data: a\r\rdata: b\r\r", "{data: a\r\r}{data: b\r\r}", FORM_EVENTS},
    {type_events, "data: a\n\ndata: b", "{data: a\n\n}{data: b}", FORM_EVENTS},
    {type_events, MARK "data: a\n\n", "{" MARK "data: a\n\n}", FORM_EVENTS},
    {type_events, "other: a\n\n", "{other: a\n\n}", FORM_EVENTS},
    {type_events, "  \n\n", "{  \n\n}", FORM_EVENTS},
    {type_events, "{\"a\":1}", "<{\"a\":1}>", FORM_WHOLE},
    {type_events, MARK " \r\n[1]", "<" MARK " \r\n[1]>", FORM_WHOLE},
    {type_events, "", "", FORM_EVENTS},
    {type_json, "{\"a\":1}", "<{\"a\":1}>", FORM_WHOLE},
    {type_json, MARK "{\"a\":1}", "<" MARK "{\"a\":1}>", FORM_WHOLE},
    {type_json, "data: a\n\ndata: [DONE]\n\n", "{data: a\n\n}{data: [DONE]\n\n}", FORM_EVENTS},
    {type_json, "\n\n  data:a\n\n", "{\n}{\n}{  data:a\n\n}", FORM_EVENTS},
    {type_json, MARK "data: a\n\n", "{" MARK "data: a\n\n}", FORM_EVENTS},
    {type_json, ":\n\n", "{:\n\n}", FORM_EVENTS},
    {type_json, "null", "<null>", FORM_WHOLE},
    {type_json, "\"data: a\"", "<\"data: a\">", FORM_WHOLE},
    {type_json, "datum", "<datum>", FORM_WHOLE},
    {type_json, "  ", "<  >", FORM_WHOLE},
    {type_json, "", "<>", FORM_WHOLE},
    {"", "event: x\ndata: a\n\n", "{event: x\ndata: a\n\n}", FORM_EVENTS},
    {"", "id: 1\n\n", "{id: 1\n\n}", FORM_EVENTS},
    {"", "retry: 5\n\n", "{retry: 5\n\n}", FORM_EVENTS},
    {"", "retro: 5\n\n", "<retro: 5\n\n>", FORM_WHOLE},
    {"text/plain", "<html>", "<<html>>", FORM_WHOLE},
    {"text/event-stream-like", "xdata: a\n\n", "<xdata: a\n\n>", FORM_WHOLE},
    {"TEXT/Event-Stream ;x", "x: a\n\n", "{x: a\n\n}", FORM_EVENTS},
};
#define FRAMINGS (sizeof framings / sizeof framings[0])

/* step 0: cut at `from` and `to`. */
static void run(const struct framing *f, size_t step, size_t from, size_t to)
{
    struct kit k;
    struct tap tap;
    kit_open(&k, f->type);
    kit_begin(&k);
    tap_open(&tap, &k, &k.relay->first);
    if (step)
        kit_feed(&k, slice_str(f->body), step);
    else
        kit_feed_cut(&k, slice_str(f->body), from, to);
    kit_finish(&k, NULL);
    EXPECT_SLICE(slice_str(f->seen), buf_slice(&tap.seen));
    EXPECT_INT(f->form, k.relay->form);
    EXPECT_INT(1, tap.finishes);
    EXPECT(!tap.has_why);
    tap_close(&tap);
    kit_close(&k);
    if (k.wrong) UNIT_FAIL("%s: %s", f->body, k.wrong);
}

static void what_came_decides_however_it_is_cut(void)
{
    for (size_t i = 0; i < FRAMINGS; i++) {
        size_t len = strlen(framings[i].body);
        run(&framings[i], len + 1, 0, 0);
        run(&framings[i], 1, 0, 0);
        for (size_t from = 0; from <= len; from++) {
            for (size_t to = from; to <= len; to++)
                run(&framings[i], 0, from, to);
        }
    }
}

static struct slice fill(struct buf *b, const char *before, size_t count, const char *behind)
{
    buf_reset(b);
    buf_append(b, slice_str(before));
    memset(buf_reserve(b, count), 'x', count);
    buf_grew(b, count);
    buf_append(b, slice_str(behind));
    return buf_slice(b);
}

/* Feeds `bytes` in steps to a frame in front of a tap: its form, and whether all of it came out. */
static enum relay_form form_of(struct kit *k, struct slice bytes, size_t step, size_t *raw_pieces, size_t *said)
{
    struct tap tap;
    struct buf want;
    kit_begin(k);
    tap_open(&tap, k, &k->relay->first->next);
    kit_feed(k, bytes, step);
    kit_finish(k, NULL);
    enum relay_form form = k->relay->form;
    bool is_run = tap.raw_pieces == tap.pieces;
    buf_init(&want);
    if (!is_run) buf_append_char(&want, form == FORM_WHOLE ? '<' : '{');
    buf_append(&want, bytes);
    if (!is_run) buf_append_char(&want, form == FORM_WHOLE ? '>' : '}');
    EXPECT(slice_equal(buf_slice(&want), buf_slice(&tap.seen)));
    *raw_pieces = tap.raw_pieces;
    *said = tap.said;
    buf_clear(&want);
    tap_close(&tap);
    return form;
}

static const size_t steps[] = {0, 1000, 65536};
#define STEPS (sizeof steps / sizeof steps[0])

/* One byte more than may be kept goes through as it comes, also when it comes at once. */
static void a_whole_answer_is_kept_up_to_its_bound(void)
{
    struct buf body = {0};
    for (size_t i = 0; i < STEPS; i++) {
        for (size_t more = 0; more <= 1; more++) {
            struct kit k;
            size_t raw_pieces, said;
            struct slice bytes = fill(&body, "{\"a\":\"", LIMIT_RESPONSE_INSPECT_BYTES - 8 + more, "\"}");
            kit_open(&k, type_json);
            EXPECT_INT(more ? FORM_OPAQUE : FORM_WHOLE, form_of(&k, bytes, steps[i], &raw_pieces, &said));
            EXPECT_INT(!more, said);
            EXPECT_INT(0, relay_report(k.relay).unread_bytes);
            EXPECT_INT(0, k.x->response.inspect_errors);
            kit_close(&k);
            EXPECT(!k.wrong);
        }
    }
    buf_clear(&body);
}

/* with_policies: somebody must read it. */
static void expect_event(size_t bytes, bool with_policies, bool is_read)
{
    struct buf body = {0};
    for (size_t i = 0; i < STEPS; i++) {
        struct kit k;
        size_t raw_pieces, said;
        struct slice event = fill(&body, "data: ", bytes - 8, "\n\n");
        kit_open(&k, type_events);
        k.parts.hooks.has_delta = with_policies;
        EXPECT_INT(FORM_EVENTS, form_of(&k, event, steps[i], &raw_pieces, &said));
        EXPECT_INT(is_read, said);
        EXPECT_INT(is_read, raw_pieces == 0);
        EXPECT_INT(1, exchange_attempt(k.x)->events);
        kit_close(&k);
        EXPECT(!k.wrong);
    }
    buf_clear(&body);
}

static void an_event_is_whole_up_to_its_bound(void)
{
    expect_event(LIMIT_EVENT_BYTES, false, true);
    expect_event(LIMIT_EVENT_BYTES + 1, false, false);
    expect_event(LIMIT_EVENT_BYTES + 1, true, true);
    expect_event(LIMIT_REDACT_EVENT_BYTES, true, true);
    expect_event(LIMIT_REDACT_EVENT_BYTES + 1, true, false);
}

/* Blanks before the first byte that says what it is. */
static void blanks_without_end_are_a_stream_however_they_come(void)
{
    static const size_t blanks[] = {LIMIT_EVENT_BYTES - 1, LIMIT_EVENT_BYTES, LIMIT_EVENT_BYTES + 5};
    struct buf body = {0};
    for (size_t b = 0; b < 3; b++) {
        for (size_t i = 0; i < STEPS + 1; i++) {
            struct kit k;
            buf_reset(&body);
            memset(buf_reserve(&body, blanks[b]), ' ', blanks[b]);
            buf_grew(&body, blanks[b]);
            buf_append(&body, SLICE("{\"a\":1}"));
            kit_open(&k, type_json);
            kit_feed(&k, buf_slice(&body), i < STEPS ? steps[i] : 100);
            kit_begin(&k);
            EXPECT_INT(b ? FORM_EVENTS : FORM_WHOLE, k.relay->form);
            kit_close(&k);
        }
    }
    buf_clear(&body);
}

static void expect_form(int status, const char *encoding, const char *type, bool is_stream, enum relay_form form)
{
    struct kit k;
    kit_open(&k, type);
    k.head.status = status;
    k.head.content_encoding = slice_str(encoding);
    k.x->request.is_stream = is_stream;
    kit_feed(&k, SLICE("data: a\n\n"), 1);
    EXPECT_INT(form, k.relay->form);
    kit_close(&k);
}

static void a_coding_and_a_failure_are_not_looked_into(void)
{
    expect_form(200, "identity", type_events, true, FORM_EVENTS);
    expect_form(200, "Identity", type_json, false, FORM_EVENTS);
    expect_form(200, "gzip", type_events, false, FORM_OPAQUE);
    expect_form(200, "gzip", "", true, FORM_OPAQUE);
    expect_form(200, "gzip", "", false, FORM_WHOLE);
    expect_form(200, "gzip", type_json, true, FORM_WHOLE);
    expect_form(400, "", type_events, true, FORM_WHOLE);
    expect_form(503, "gzip", type_events, true, FORM_WHOLE);
    expect_form(302, "", type_events, true, FORM_WHOLE);
}

/* Of a stream that broke off the tail is told; of an answer that was to be whole nothing is. */
static void what_broke_off_is_no_answer(void)
{
    static const char *const bodies[] = {"data: a\n\ndata: b", "{\"a\":1}"};
    for (size_t i = 0; i < 2; i++) {
        struct fault why = {.code = FAULT_UPSTREAM_CLOSED};
        struct kit k;
        struct tap tap;
        kit_open(&k, type_json);
        kit_begin(&k);
        tap_open(&tap, &k, &k.relay->first);
        kit_feed(&k, slice_str(bodies[i]), 0);
        frame_finish(k.relay, &why);
        EXPECT_SLICE(slice_str(i ? "" : "{data: a\n\n}{data: b}"), buf_slice(&tap.seen));
        EXPECT_INT(1, tap.finishes);
        EXPECT(tap.has_why);
        tap_close(&tap);
        kit_close(&k);
    }
}

int main(void)
{
    RUN(what_came_decides_however_it_is_cut);
    RUN(a_whole_answer_is_kept_up_to_its_bound);
    RUN(an_event_is_whole_up_to_its_bound);
    RUN(blanks_without_end_are_a_stream_however_they_come);
    RUN(a_coding_and_a_failure_are_not_looked_into);
    RUN(what_broke_off_is_no_answer);
    loop_free(kit_loop);
    return unit_close("relay_frame");
}
