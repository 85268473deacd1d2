/*
 * Real answers of Responses APIs (../shared/recordings, or where MOONGATE_RECORDINGS says) for clients of the other
 * dialects: what a strict client hears is the text, the thoughts, the calls, the reason and the usage of the answer as
 * it came, however it is cut into pieces; encrypted reasoning comes to it with its item's id; and of a stream that was
 * cut off anywhere it hears no end.
 */
#include "../files.h"
#include "../unit.h"

#include "hearing.h"
#include "translating.h"

static const char *folder;
static size_t streams, bodies, failures, cuts, signatures;
static const struct dialect *const clients[] = {&dialect_openai, &dialect_anthropic, &dialect_gemini};

struct recording {
    const char *id;
    const struct dialect *client;
    json_t *expected;
    int status;
    bool is_stream, has_error;
    long long written; /* tokens, into a cache */
    struct buf bytes;
    struct buf reasoning, signed_with, redacted; /* of its items, as they were done */
};

static void complain(const struct recording *r, const char *what, struct slice want, struct slice got)
{
    UNIT_FAIL("%s for %s: %s: expected \"%.*s\", got \"%.*s\"", r->id, r->client->name, what, SLICE_FMT(want),
              SLICE_FMT(got));
}

static void expect_same(const struct recording *r, const char *what, struct slice want, const struct buf *got)
{
    if (!slice_equal(want, buf_slice(got))) complain(r, what, want, buf_slice(got));
}

/* ---- what was thought, by items that are done */

/* Paragraphs of one thought, each on its own. */
static void add_paragraphs(json_t *list, struct buf *out, size_t from)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *part = json_array_get(list, i);
        if (hearing_has(part, "text") && buf_len(out) > from) buf_append(out, SLICE("\n\n"));
        hearing_add(out, part, "text");
    }
}

static void add_thought(struct recording *r, json_t *item)
{
    size_t before = buf_len(&r->reasoning);
    if (strcmp(hearing_text(item, "type"), "reasoning") != 0) return;
    add_paragraphs(json_object_get(item, "summary"), &r->reasoning, before);
    add_paragraphs(json_object_get(item, "content"), &r->reasoning, before);
    if (!hearing_has(item, "encrypted_content")) return;
    buf_printf(buf_len(&r->reasoning) > before ? &r->signed_with : &r->redacted, "openai.%s.%s",
               hearing_text(item, "id"), hearing_text(item, "encrypted_content"));
    signatures++;
}

static void take_usage(struct recording *r, json_t *response)
{
    json_t *details = json_object_get(json_object_get(response, "usage"), "input_tokens_details");
    if (details) r->written = hearing_number(details, "cache_write_tokens");
}

static void on_event(void *arg, const struct sse_event *e)
{
    json_t *event = json_loadb(e->data.ptr, e->data.len, 0, NULL);
    if (strcmp(hearing_text(event, "type"), "response.output_item.done") == 0)
        add_thought(arg, json_object_get(event, "item"));
    take_usage(arg, json_object_get(event, "response"));
    json_decref(event);
}

static void take_thoughts(struct recording *r)
{
    if (r->is_stream) {
        struct sse_parser *sse = sse_new();
        sse_keep(sse, 4u << 20);
        sse_feed(sse, buf_slice(&r->bytes), on_event, r);
        sse_finish(sse, on_event, r);
        sse_free(sse);
        return;
    }
    json_t *body = json_loadb(buf_ptr(&r->bytes), buf_len(&r->bytes), 0, NULL), *output = json_object_get(body, "output");
    for (size_t i = 0; i < json_array_size(output); i++)
        add_thought(r, json_array_get(output, i));
    take_usage(r, body);
    json_decref(body);
}

/* ---- what the client hears */

/* What the client itself is to call: a text for a custom tool is the one thing that it is asked. */
static void expect_calls(const struct recording *r, const struct buf *got)
{
    json_t *calls = json_object_get(r->expected, "tool_calls");
    struct buf want;
    buf_init(&want);
    for (size_t i = 0; i < json_array_size(calls); i++) {
        json_t *call = json_array_get(calls, i);
        json_t *args = json_loads(hearing_text(call, "args"), 0, NULL);
        if (!args) args = json_pack("{s:O}", "input", json_object_get(call, "args"));
        char *sorted = json_dumps(args, JSON_SORT_KEYS | JSON_COMPACT);
        buf_printf(&want, "%s(%s)", hearing_text(call, "name"), sorted ? sorted : "?");
        free(sorted);
        json_decref(args);
    }
    if (!slice_equal(buf_slice(&want), buf_slice(got))) complain(r, "calls", buf_slice(&want), buf_slice(got));
    buf_clear(&want);
}

static const char *reason_for(const struct recording *r, bool has_calls)
{
    static const char *const words[3][3] = {{"stop", "end_turn", "STOP"},
                                            {"length", "max_tokens", "MAX_TOKENS"},
                                            {"tool_calls", "tool_use", "STOP"}};
    bool is_cut = strcmp(hearing_text(r->expected, "status"), "incomplete") == 0;
    int column = r->client == &dialect_openai ? 0 : r->client == &dialect_anthropic ? 1 : 2;
    return words[is_cut ? 1 : has_calls ? 2 : 0][column];
}

static long long number(const struct recording *r, const char *key)
{
    return json_integer_value(json_object_get(r->expected, key));
}

static void expect_usage(const struct recording *r, const struct hearing *h)
{
    long long input = number(r, "input_tokens"), output = number(r, "output_tokens");
    long long cached = number(r, "cached_input_tokens");
    if (r->client == &dialect_anthropic) input -= cached + r->written;
    if (h->input != input || h->cached != cached || h->output != output)
        UNIT_FAIL("%s for %s: usage %lld %lld %lld, not %lld %lld %lld", r->id, r->client->name, h->input, h->cached,
                  h->output, input, cached, output);
    if (r->client != &dialect_gemini && h->written != r->written) UNIT_FAIL("%s: written %lld", r->id, h->written);
    if (h->thought != number(r, "reasoning_tokens")) UNIT_FAIL("%s: reasoning %lld", r->id, h->thought);
}

static void expect_heard(const struct recording *r, const struct hearing *h, const struct translating *t)
{
    if (h->wrong) UNIT_FAIL("%s for %s: %s: %s", r->id, r->client->name, h->wrong, h->place);
    if (t->has_stopped) UNIT_FAIL("%s for %s: %s", r->id, r->client->name, t->why.text);
    if (r->has_error) {
        if (!h->has_error) UNIT_FAIL("%s for %s: no error", r->id, r->client->name);
        return;
    }
    if (!h->has_ended) UNIT_FAIL("%s for %s: it did not end", r->id, r->client->name);
    expect_same(r, "text", slice_str(hearing_text(r->expected, "text")), &h->text);
    expect_same(r, "reasoning", buf_slice(&r->reasoning), &h->reasoning);
    expect_same(r, "signatures", buf_slice(&r->signed_with), &h->signatures);
    expect_same(r, "redacted", buf_slice(&r->redacted), &h->redacted);
    expect_calls(r, &h->calls);
    const char *reason = reason_for(r, buf_len(&h->calls));
    if (strcmp(reason, h->reason) != 0) complain(r, "reason", slice_str(reason), slice_str(h->reason));
    expect_usage(r, h);
}

static bool has_ended(const struct recording *r, const struct translating *t)
{
    struct hearing h;
    hearing_begin(&h, r->client);
    hearing_stream(&h, buf_slice(&t->out));
    bool is_ended = h.has_ended || h.wrong;
    hearing_clear(&h);
    return is_ended;
}

/* What was cut off is not whole, and says nothing of an end; unless all that is missing is a line's end. */
static void cut_anywhere(const struct recording *r)
{
    struct slice whole = slice_trim(buf_slice(&r->bytes));
    size_t step = whole.len < (getenv("MOONGATE_EVERY_CUT") ? 12000u : 6000u) ? 1 : 211;
    for (size_t len = 0; len < whole.len; len += step) {
        struct translating t;
        translate_stream(&t, &dialect_responses, r->client, slice_of(whole.ptr, len), 0);
        if (t.end == DIALECT_CUT && (t.has_stopped || has_ended(r, &t)))
            UNIT_FAIL("%s for %s: cut at %zu it has an end", r->id, r->client->name, len);
        translating_clear(&t);
        cuts++;
    }
}

static void check_stream(const struct recording *r)
{
    static const size_t steps[] = {0, 1, 7, 333, 4096};
    struct buf first;
    buf_init(&first);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct translating t;
        struct hearing h;
        translate_stream(&t, &dialect_responses, r->client, buf_slice(&r->bytes), steps[i]);
        hearing_begin(&h, r->client);
        hearing_stream(&h, buf_slice(&t.out));
        if (i == 0) {
            buf_append(&first, buf_slice(&t.out));
            expect_heard(r, &h, &t);
        }
        if (!slice_equal(buf_slice(&first), buf_slice(&t.out))) UNIT_FAIL("%s: differs in steps of %zu", r->id, steps[i]);
        hearing_clear(&h);
        translating_clear(&t);
    }
    buf_clear(&first);
    cut_anywhere(r);
    streams++;
}

static void check_body(const struct recording *r)
{
    struct translating t;
    struct hearing h;
    hearing_begin(&h, r->client);
    if (r->status >= 400) {
        translate_failure(&t, &dialect_responses, r->client, r->status, buf_slice(&r->bytes));
        failures++;
    } else {
        translate_body(&t, &dialect_responses, r->client, buf_slice(&r->bytes));
        bodies++;
    }
    hearing_body(&h, buf_slice(&t.out));
    expect_heard(r, &h, &t);
    hearing_clear(&h);
    translating_clear(&t);
}

static bool has_feature(json_t *entry, const char *name)
{
    json_t *features = json_object_get(entry, "features");
    for (size_t i = 0; i < json_array_size(features); i++) {
        if (strcmp(json_string_value(json_array_get(features, i)), name) == 0) return true;
    }
    return false;
}

static void check_recording(json_t *entry)
{
    struct recording r = {.id = hearing_text(entry, "id"), .expected = json_object_get(entry, "expected")};
    if (strcmp(hearing_text(entry, "api"), "openai.responses") != 0) return;
    r.status = (int)hearing_number(entry, "status");
    r.is_stream = ORACLE_IS(json_object_get(entry, "stream"), TRUE);
    r.has_error = r.status >= 400 || has_feature(entry, "instream_error");
    if (!read_file(folder, hearing_text(entry, "response_file"), &r.bytes)) return;
    take_thoughts(&r);
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
        r.client = clients[i];
        if (r.is_stream)
            check_stream(&r);
        else
            check_body(&r);
    }
    buf_clear(&r.bytes);
    buf_clear(&r.reasoning);
    buf_clear(&r.signed_with);
    buf_clear(&r.redacted);
}

static void recordings_are_heard_as_they_were_said(void)
{
    struct buf text;
    if (!read_file(folder, "manifest.json", &text)) return;
    json_t *manifest = json_loadb(buf_ptr(&text), buf_len(&text), 0, NULL);
    json_t *list = json_object_get(manifest, "recordings");
    for (size_t i = 0; i < json_array_size(list); i++)
        check_recording(json_array_get(list, i));
    EXPECT(streams > 90 && bodies > 100 && failures > 10 && cuts > 1000 && signatures > 10);
    json_decref(manifest);
    buf_clear(&text);
}

int main(void)
{
    struct buf text;
    folder = getenv("MOONGATE_RECORDINGS");
    if (!folder) folder = "../shared/recordings";
    if (read_file(folder, "manifest.json", &text)) {
        buf_clear(&text);
        RUN(recordings_are_heard_as_they_were_said);
        printf("translated recordings of Responses: %zu streams, %zu bodies, %zu errors, %zu cuts, %zu signatures\n", streams,
               bodies, failures, cuts, signatures);
    } else {
        printf("translated recordings of Responses: skipped, there are none in %s (set MOONGATE_RECORDINGS)\n", folder);
    }
    return unit_close("translate_recordings_responses");
}
