/*
 * Real answers of Gemini's API and of Vertex AI (../shared/recordings, or where MOONGATE_RECORDINGS says) for clients of
 * the other dialects: what a strict client hears is the text, the thoughts, the calls, the reason and the usage that an
 * independent parser read of the answer as it came, however it is cut into pieces; signatures come to it with a mark of
 * their part; and of a stream that was cut off anywhere it hears no end.
 */
#include "../files.h"
#include "../unit.h"

#include "hearing.h"
#include "translating.h"

static const char *folder;
static size_t streams, bodies, failures, cuts;
static const struct dialect *const clients[] = {&dialect_openai, &dialect_anthropic, &dialect_responses};

struct recording {
    const char *id;
    const struct dialect *client;
    json_t *expected;
    int status;
    bool is_stream, has_signature, in_pieces; /* in_pieces: what tools are asked comes member by member */
    struct buf bytes;
};

static void complain(const struct recording *r, const char *what, struct slice want, struct slice got)
{
    UNIT_FAIL("%s for %s: %s: expected \"%.*s\", got \"%.*s\"", r->id, r->client->name, what, SLICE_FMT(want),
              SLICE_FMT(got));
}

static void expect_text(const struct recording *r, const char *key, const struct buf *got)
{
    const char *want = json_string_value(json_object_get(r->expected, key));
    if (!slice_equal(slice_str(want ? want : ""), buf_slice(got)))
        complain(r, key, slice_str(want ? want : ""), buf_slice(got));
}

/* Those in pieces the oracle has not put together: they stand here. */
static const char *calls_in_pieces(const struct recording *r)
{
    if (strcmp(r->id, "gemini/040-streamGenerateContent-stream") == 0)
        return "read_theme({})read_screen({\"id\":\"A\"})read_screen({\"id\":\"B\"})read_screen({\"id\":\"C\"})";
    return "writeItems({\"operations\":[{\"action\":\"add\",\"description\":\"Fresh red apple\",\"itemid\":\"apple_001\","
           "\"price\":0.5},{\"action\":\"add\",\"description\":\"Ripe yellow banana\",\"itemid\":\"banana_001\",\"price\":"
           "0.29999999999999999}]})";
}

static void expect_calls(const struct recording *r, const struct buf *got)
{
    json_t *calls = json_object_get(r->expected, "tool_calls");
    struct buf want;
    buf_init(&want);
    if (r->in_pieces) buf_append(&want, slice_str(calls_in_pieces(r)));
    for (size_t i = 0; i < json_array_size(calls) && !r->in_pieces; i++) {
        json_t *call = json_array_get(calls, i);
        char *sorted = json_dumps(json_object_get(call, "args"), JSON_SORT_KEYS | JSON_COMPACT);
        buf_printf(&want, "%s(%s)", hearing_text(call, "name"), sorted ? sorted : "?");
        free(sorted);
    }
    if (!slice_equal(buf_slice(&want), buf_slice(got))) complain(r, "calls", buf_slice(&want), buf_slice(got));
    buf_clear(&want);
}

/* By wire.md C4. */
static const char *reason_for(const struct recording *r, bool has_calls)
{
    static const char *const words[4][3] = {{"stop", "end_turn", "completed"},
                                            {"length", "max_tokens", "max_output_tokens"},
                                            {"content_filter", "refusal", "content_filter"},
                                            {"tool_calls", "tool_use", "completed"}};
    json_t *reason = json_object_get(r->expected, "finish_reason");
    const char *word = hearing_text(r->expected, "finish_reason");
    int number = ORACLE_IS(reason, INTEGER) ? (int)json_integer_value(reason) : 0;
    int row = strcmp(word, "STOP") == 0 || number == 1         ? 0
              : strcmp(word, "MAX_TOKENS") == 0 || number == 2 ? 1
                                                               : 2;
    int column = r->client == &dialect_openai ? 0 : r->client == &dialect_anthropic ? 1 : 2;
    return words[row == 0 && has_calls ? 3 : row][column];
}

static long long number(const struct recording *r, const char *key)
{
    return json_integer_value(json_object_get(r->expected, key));
}

static void expect_usage(const struct recording *r, const struct hearing *h)
{
    long long input = number(r, "input_tokens") + number(r, "tool_use_prompt_tokens");
    long long output = number(r, "output_tokens") + number(r, "thoughts_tokens");
    long long cached = number(r, "cached_tokens");
    if (r->client == &dialect_anthropic) input -= cached;
    if (h->input != input || h->cached != cached || h->output != output)
        UNIT_FAIL("%s for %s: usage %lld %lld %lld, not %lld %lld %lld", r->id, r->client->name, h->input, h->cached,
                  h->output, input, cached, output);
    if (h->thought != number(r, "thoughts_tokens")) UNIT_FAIL("%s: reasoning %lld", r->id, h->thought);
}

static void expect_signature(const struct recording *r, const struct hearing *h)
{
    struct slice all = buf_slice(&h->signatures);
    bool is_marked = memmem(all.ptr, all.len, "gemini.", 7) != NULL;
    if (is_marked != r->has_signature) complain(r, "signature", SLICE("one, with its mark, or none"), all);
}

static void expect_heard(const struct recording *r, const struct hearing *h, const struct translating *t)
{
    if (h->wrong) UNIT_FAIL("%s for %s: %s: %s", r->id, r->client->name, h->wrong, h->place);
    if (t->has_stopped) UNIT_FAIL("%s for %s: %s", r->id, r->client->name, t->why.text);
    if (r->status >= 400) {
        if (!h->has_error) UNIT_FAIL("%s: no error", r->id);
        return;
    }
    if (!h->has_ended) UNIT_FAIL("%s for %s: it did not end", r->id, r->client->name);
    expect_text(r, "thinking_text", &h->reasoning);
    if (strcmp(hearing_text(r->expected, "finish_reason"), "MODEL_ARMOR") != 0) expect_text(r, "text", &h->text);
    expect_calls(r, &h->calls);
    const char *reason = reason_for(r, buf_len(&h->calls));
    if (strcmp(reason, h->reason) != 0) complain(r, "reason", slice_str(reason), slice_str(h->reason));
    expect_usage(r, h);
    expect_signature(r, h);
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
    size_t step = whole.len < 6000 ? 1 : 211;
    for (size_t len = 0; len < whole.len; len += step) {
        struct translating t;
        translate_stream(&t, &dialect_gemini, r->client, slice_of(whole.ptr, len), 0);
        bool is_cut = t.end == DIALECT_CUT || t.end == DIALECT_COMPLETE_UNMARKED;
        if (!is_cut || (t.end == DIALECT_CUT && has_ended(r, &t)))
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
        translate_stream(&t, &dialect_gemini, r->client, buf_slice(&r->bytes), steps[i]);
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
        translate_failure(&t, &dialect_gemini, r->client, r->status, buf_slice(&r->bytes));
        failures++;
    } else {
        translate_body(&t, &dialect_gemini, r->client, buf_slice(&r->bytes));
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

static bool is_chat(const char *api)
{
    return strcmp(api, "gemini.generateContent") == 0 || strcmp(api, "gemini.streamGenerateContent") == 0;
}

/* That of a tool which the provider ran is lost with it. */
static bool keeps_signature(json_t *entry)
{
    return has_feature(entry, "part:thoughtSignature");
}

static void check_recording(json_t *entry)
{
    struct recording r = {.id = hearing_text(entry, "id"), .expected = json_object_get(entry, "expected")};
    if (!is_chat(hearing_text(entry, "api"))) return;
    r.status = (int)hearing_number(entry, "status");
    r.is_stream = ORACLE_IS(json_object_get(entry, "stream"), TRUE);
    r.in_pieces = has_feature(entry, "fc:partialArgs");
    r.has_signature = keeps_signature(entry);
    if (!read_file(folder, hearing_text(entry, "response_file"), &r.bytes)) return;
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
        r.client = clients[i];
        if (r.is_stream)
            check_stream(&r);
        else
            check_body(&r);
    }
    buf_clear(&r.bytes);
}

static void recordings_are_heard_as_they_were_said(void)
{
    struct buf text;
    if (!read_file(folder, "manifest.json", &text)) return;
    json_t *manifest = json_loadb(buf_ptr(&text), buf_len(&text), 0, NULL);
    json_t *list = json_object_get(manifest, "recordings");
    for (size_t i = 0; i < json_array_size(list); i++)
        check_recording(json_array_get(list, i));
    EXPECT(streams > 30 && bodies > 30 && failures > 2 && cuts > 1000);
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
        printf("translated recordings of Gemini: %zu streams, %zu bodies, %zu errors, %zu cuts\n", streams, bodies, failures,
               cuts);
    } else {
        printf("translated recordings of Gemini: skipped, there are none in %s (set MOONGATE_RECORDINGS)\n", folder);
    }
    return unit_close("translate_recordings_gemini");
}
