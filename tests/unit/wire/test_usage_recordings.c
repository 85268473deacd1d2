/*
 * The usage of every recorded answer, of all APIs in the manifest of ../shared/recordings (or where MOONGATE_RECORDINGS
 * says): the counts are those that an independent parser read, and the normal form adds up to them. Without the
 * recordings there is nothing to do, which is said in one line.
 */
#include "../files.h"
#include "../unit.h"

#include <stdlib.h>

#include "oracle.h"

#include "base/buf.h"
#include "wire/sse.h"
#include "wire/usage.h"

/* One answer: where it comes from, what it should say, what was read of it. */
struct answer {
    const char *id;
    json_t *expected;
    enum usage_shape shape;
    struct usage usage;
    struct usage_parts parts;
    size_t reports, unreadable;
};

static void read_json(struct answer *a, struct slice json)
{
    struct json_tape tape;
    struct fault why;
    json_init(&tape);
    if (json_parse(&tape, json, &why)) {
        a->reports += usage_read(&a->usage, a->shape, &tape);
    } else {
        a->unreadable++;
    }
    json_clear(&tape);
}

static void on_event(void *arg, const struct sse_event *e)
{
    if (!e->is_comment_only && !slice_starts(e->data, SLICE("[DONE]"))) read_json(arg, e->data);
}

static void read_answer(struct answer *a, struct slice bytes, bool is_stream)
{
    usage_init(&a->usage);
    if (is_stream) {
        struct sse_parser *p = sse_new();
        sse_feed(p, bytes, on_event, a);
        sse_finish(p, on_event, a);
        sse_free(p);
    } else {
        read_json(a, bytes);
    }
    usage_normalise(&a->usage, &a->parts);
}

/* As the manifest has it; -1 when it does not. */
static int64_t expected(const struct answer *a, const char *key)
{
    json_t *value = json_object_get(a->expected, key);
    return ORACLE_IS(value, INTEGER) ? json_integer_value(value) : USAGE_UNKNOWN;
}

static int64_t expected_in(const struct answer *a, const char *object, const char *key)
{
    json_t *value = json_object_get(json_object_get(a->expected, object), key);
    return ORACLE_IS(value, INTEGER) ? json_integer_value(value) : USAGE_UNKNOWN;
}

static int64_t or_zero(int64_t count)
{
    return count == USAGE_UNKNOWN ? 0 : count;
}

/* Absent from `expected`: not said, or 0, which that parser does not tell apart. */
static void same(const struct answer *a, const char *what, int64_t want, int64_t got)
{
    if (got != want && !(want == USAGE_UNKNOWN && got == 0)) {
        UNIT_FAIL("%s: %s: expected %" PRId64 ", got %" PRId64, a->id, what, want, got);
    }
}

static void check_tier(const struct answer *a)
{
    const char *tier = json_string_value(json_object_get(a->expected, "service_tier"));
    if (tier && strcmp(tier, a->usage.service_tier) != 0) {
        UNIT_FAIL("%s: tier %s, expected %s", a->id, a->usage.service_tier, tier);
    }
}

/* Of OpenAI's shapes `expected` may leave out what is written into a cache; what the report says of it is taken. */
static void check_raw(const struct answer *a)
{
    const struct usage *u = &a->usage;
    bool is_anthropic = a->shape == USAGE_SHAPE_ANTHROPIC, is_gemini = a->shape == USAGE_SHAPE_GEMINI;
    int64_t written = expected(a, is_anthropic ? "cache_creation_input_tokens" : "cache_write_tokens");
    same(a, "input", expected(a, "input_tokens"), u->input_tokens);
    same(a, "output", expected(a, "output_tokens"), u->output_tokens);
    same(a, "total", expected(a, "total_tokens"), u->total_tokens);
    same(a, "cached", expected(a, is_anthropic ? "cache_read_input_tokens" : "cached_input_tokens"), u->cached_tokens);
    if (written != USAGE_UNKNOWN || is_anthropic) same(a, "written", written, u->cache_write_tokens);
    same(a, "5m", expected_in(a, "cache_creation", "ephemeral_5m_input_tokens"), u->cache_write_5m_tokens);
    same(a, "1h", expected_in(a, "cache_creation", "ephemeral_1h_input_tokens"), u->cache_write_1h_tokens);
    same(a, "reasoning",
         is_anthropic ? expected_in(a, "output_tokens_details", "thinking_tokens")
                      : expected(a, is_gemini ? "thoughts_tokens" : "reasoning_tokens"),
         u->reasoning_tokens);
    same(a, "tool", expected(a, "tool_use_prompt_tokens"), u->tool_tokens);
    same(a, "audio in", expected(a, "audio_input_tokens"), u->audio_input_tokens);
    same(a, "audio out", expected(a, "audio_output_tokens"), u->audio_output_tokens);
    check_tier(a);
}

static int64_t sum(const struct usage_parts *parts, enum usage_part first, enum usage_part last)
{
    int64_t all = 0;
    for (unsigned i = first; i <= last; i++) {
        if (parts->count[i] < 0) UNIT_FAIL("%s is negative", usage_part_name(i));
        all += parts->count[i];
    }
    return all;
}

/* What an answer comes to, by the manifest's figures and each API's own rule of what holds what. */
static void check_parts(const struct answer *a)
{
    int64_t input = or_zero(expected(a, "input_tokens")), output = or_zero(expected(a, "output_tokens"));
    int64_t total = expected(a, "total_tokens"), reasoning = or_zero(a->usage.reasoning_tokens);
    int64_t written = or_zero(a->usage.cache_write_tokens), cached = or_zero(a->usage.cached_tokens);
    switch (a->shape) {
    case USAGE_SHAPE_ANTHROPIC:
    case USAGE_SHAPE_CONVERSE: input += cached + written; break;
    case USAGE_SHAPE_GEMINI:
        input += or_zero(expected(a, "tool_use_prompt_tokens"));
        output += reasoning;
        break;
    case USAGE_SHAPE_OPENAI:
    case USAGE_SHAPE_RESPONSES:
        if (total - input > output) output = total - input;
        break;
    }
    same(a, "all input", input, sum(&a->parts, USAGE_INPUT, USAGE_IMAGE_INPUT));
    same(a, "all input, as prices count it", input, usage_parts_input(&a->parts));
    same(a, "all output", output, sum(&a->parts, USAGE_OUTPUT, USAGE_IMAGE_OUTPUT));
    if (total != USAGE_UNKNOWN) same(a, "the total", total, sum(&a->parts, USAGE_INPUT, USAGE_IMAGE_OUTPUT));
    same(a, "cached part", cached, a->parts.count[USAGE_CACHE_READ]);
    same(a, "written part", written, sum(&a->parts, USAGE_CACHE_WRITE_5M, USAGE_CACHE_WRITE_1H));
    same(a, "reasoning part", reasoning, a->parts.count[USAGE_REASONING]);
    same(a, "requests", 1, a->parts.count[USAGE_REQUESTS]);
}

/* One fixture has more sound than output, and two answers asked a second model for advice. */
static bool is_suspect(const char *id)
{
    static const char *const ids[] = {"openai/012-chat-json", "anthropic/011-messages-stream",
                                      "anthropic/064-messages-json"};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        if (strcmp(id, ids[i]) == 0) return true;
    }
    return false;
}

static bool shape_of(const char *api, enum usage_shape *shape)
{
    static const struct {
        const char *start;
        enum usage_shape shape;
    } rows[] = {{"openai.responses", USAGE_SHAPE_RESPONSES},
                {"openai.", USAGE_SHAPE_OPENAI},
                {"cohere.", USAGE_SHAPE_OPENAI},
                {"anthropic.", USAGE_SHAPE_ANTHROPIC},
                {"gemini.", USAGE_SHAPE_GEMINI}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        *shape = rows[i].shape;
        if (slice_starts(slice_str(api), slice_str(rows[i].start))) return true;
    }
    return false;
}

static const char *folder;
static size_t with_usage, without;

/* Counting a prompt costs nothing: its answer has numbers in `expected`, but no usage. */
static bool has_usage(const struct answer *a, const char *api)
{
    bool is_count = strstr(api, "ount_tokens") || strstr(api, "ountTokens");
    return !is_count && (expected(a, "input_tokens") != USAGE_UNKNOWN || expected(a, "output_tokens") != USAGE_UNKNOWN);
}

static void check_recording(json_t *entry)
{
    struct answer a = {.id = json_string_value(json_object_get(entry, "id")),
                       .expected = json_object_get(entry, "expected")};
    const char *api = json_string_value(json_object_get(entry, "api"));
    struct buf bytes;
    if (!shape_of(api, &a.shape)) UNIT_FAIL("%s: the API %s has no shape here", a.id, api);
    if (!read_file(folder, json_string_value(json_object_get(entry, "response_file")), &bytes)) {
        UNIT_FAIL("%s: cannot be read", a.id);
        return;
    }
    json_t *is_stream = json_object_get(entry, "stream");
    read_answer(&a, buf_slice(&bytes), ORACLE_IS(is_stream, TRUE));
    if (a.usage.is_suspect != is_suspect(a.id)) UNIT_FAIL("%s: suspect is %d", a.id, a.usage.is_suspect);
    if (has_usage(&a, api)) {
        with_usage++;
        if (!a.reports) UNIT_FAIL("%s: its usage was not found", a.id);
        EXPECT_INT(0, a.unreadable);
        check_raw(&a);
        if (!is_suspect(a.id) || a.shape == USAGE_SHAPE_ANTHROPIC) check_parts(&a);
    } else {
        without++;
        if (usage_is_known(&a.usage)) UNIT_FAIL("%s: usage where there is none", a.id);
    }
    buf_clear(&bytes);
}

static void every_recorded_usage_normalises_to_what_was_expected(void)
{
    struct buf text;
    json_error_t error;
    if (!read_file(folder, "manifest.json", &text)) return;
    json_t *manifest = json_loadb(buf_ptr(&text), buf_len(&text), 0, &error);
    if (!manifest) UNIT_FAIL("manifest.json:%d: %s", error.line, error.text);
    json_t *list = json_object_get(manifest, "recordings");
    for (size_t i = 0; i < json_array_size(list); i++)
        check_recording(json_array_get(list, i));
    EXPECT(with_usage > 0 && with_usage + without == json_array_size(list));
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
        RUN(every_recorded_usage_normalises_to_what_was_expected);
        printf("recorded usage: %zu answers with usage, %zu without\n", with_usage, without);
    } else {
        printf("recorded usage: skipped, there are none in %s (set MOONGATE_RECORDINGS)\n", folder);
    }
    return unit_close("recorded usage");
}
