/*
 * The meter against an independent reading of the same streams: after each event of each recorded stream the count is
 * that of the text so far, whole; at the end it is held against what the provider billed. Choices, kinds and tool calls
 * are counted apart, beyond the limit too.
 */
#include "../files.h"
#include "../unit.h"

#include <stdlib.h>

#include "oracle.h"

#include "base/buf.h"
#include "base/limits.h"
#include "wire/data_url.h"
#include "wire/dialect.h"
#include "wire/meter.h"
#include "wire/sse.h"
#include "wire/tokens/counter.h"

#define TEXTS_MAX 64

/* What one choice's content, one call's arguments … have said so far, read with jansson. */
struct text_so_far {
    char name[48];
    struct buf text;
};

struct run {
    const char *id;
    const struct vocabulary *vocabulary;
    struct meter *meter;
    struct text_so_far texts[TEXTS_MAX];
    size_t text_count, events;
    bool differs;
};

static void note(struct run *run, const char *name, json_t *value)
{
    size_t i = 0;
    if (!ORACLE_IS(value, STRING) || !json_string_length(value)) return;
    while (i < run->text_count && strcmp(run->texts[i].name, name) != 0)
        i++;
    if (i == TEXTS_MAX) return;
    if (i == run->text_count) {
        snprintf(run->texts[i].name, sizeof run->texts[i].name, "%s", name);
        buf_init(&run->texts[i].text);
        run->text_count++;
    }
    buf_append(&run->texts[i].text, slice_of(json_string_value(value), json_string_length(value)));
}

static void note_calls(struct run *run, int choice, json_t *calls)
{
    for (size_t i = 0; i < json_array_size(calls); i++) {
        char name[48];
        json_t *call = json_array_get(calls, i), *function = json_object_get(call, "function");
        json_t *index = json_object_get(call, "index");
        int number = ORACLE_IS(index, INTEGER) ? (int)json_integer_value(index) : (int)i;
        snprintf(name, sizeof name, "%d name %d", choice, number);
        note(run, name, json_object_get(function, "name"));
        snprintf(name, sizeof name, "%d arguments %d", choice, number);
        note(run, name, json_object_get(function, "arguments"));
    }
}

/* Of a part of the content. */
static void note_thinking(struct run *run, int choice, json_t *part)
{
    char name[48];
    json_t *thinking = json_object_get(part, "thinking");
    snprintf(name, sizeof name, "%d reasoning", choice);
    for (size_t i = 0; i < json_array_size(thinking); i++)
        note(run, name, json_object_get(json_array_get(thinking, i), "text"));
}

static void note_choice(struct run *run, json_t *choice, int place)
{
    static const char *const keys[] = {"refusal", "reasoning_content", "reasoning"};
    static const char *const kinds[] = {"refusal", "reasoning", "reasoning"};
    json_t *index = json_object_get(choice, "index"), *delta = json_object_get(choice, "delta");
    json_t *content = json_object_get(delta, "content");
    int number = ORACLE_IS(index, INTEGER) ? (int)json_integer_value(index) : place;
    char name[48];
    snprintf(name, sizeof name, "%d content", number);
    /* Together has a chat's text beside the delta once more. */
    if (!ORACLE_IS(delta, OBJECT)) note(run, name, json_object_get(choice, "text"));
    note(run, name, content);
    for (size_t i = 0; ORACLE_IS(content, ARRAY) && i < json_array_size(content); i++) {
        note(run, name, json_object_get(json_array_get(content, i), "text"));
        note_thinking(run, number, json_array_get(content, i));
    }
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%d %s", number, kinds[i]);
        note(run, name, json_object_get(delta, keys[i]));
    }
    note_calls(run, number, json_object_get(delta, "tool_calls"));
}

static uint64_t whole_count(const struct run *run)
{
    uint64_t tokens = 0;
    for (size_t i = 0; i < run->text_count; i++)
        tokens += token_count(run->vocabulary, buf_slice(&run->texts[i].text));
    return tokens;
}

static struct said_reader reader;

static void feed(struct meter *m, struct slice name, struct slice data)
{
    struct dialect_stream stream;
    struct said said;
    dialect_stream_init(&stream, 1);
    dialect_openai.read_event(&reader, &stream, name, data, &said);
    meter_feed(m, &said);
}

static void on_event(void *arg, const struct sse_event *event)
{
    struct run *run = arg;
    json_error_t error;
    if (event->is_comment_only) return;
    feed(run->meter, event->name, event->data);
    json_t *chunk = json_loadb(event->data.ptr, event->data.len, 0, &error);
    json_t *choices = json_object_get(chunk, "choices");
    for (size_t i = 0; i < json_array_size(choices); i++)
        note_choice(run, json_array_get(choices, i), (int)i);
    json_decref(chunk);
    run->events++;
    if (run->differs || whole_count(run) == meter_total(run->meter).text_tokens) return;
    run->differs = true;
    UNIT_FAIL("%s: event %zu: %" PRIu64 " tokens by the meter, %" PRIu64 " whole", run->id, run->events,
              meter_total(run->meter).text_tokens, whole_count(run));
}

static struct meter_total replay(struct slice bytes, const char *id, const struct vocabulary *v, size_t *events)
{
    struct run run = {.id = id, .vocabulary = v, .meter = meter_new(v)};
    struct sse_parser *p = sse_new();
    sse_feed(p, bytes, on_event, &run);
    sse_finish(p, on_event, &run);
    sse_free(p);
    struct meter_total total = meter_total(run.meter);
    for (size_t i = 0; i < run.text_count; i++)
        buf_clear(&run.texts[i].text);
    meter_free(run.meter);
    *events += run.events;
    return total;
}

/* ---- The recordings. */

#define GPT "gpt-3.5, gpt-4"
#define GPT_REASONING "gpt-5"

/* How far our count of an answer without tools is from what its provider billed beyond reasoning. */
struct row {
    const char *provider;
    int streams, exact, within_one, within_three;
    long long ours, theirs, most; /* most: how far the provider's was above ours */
};
static struct row rows[32];
static size_t row_count, streams, events;

static struct row *row_of(const char *provider)
{
    size_t i = 0;
    while (i < row_count && strcmp(rows[i].provider, provider) != 0)
        i++;
    if (i == row_count) rows[row_count++].provider = provider;
    return &rows[i];
}

static long long number_of(json_t *expected, const char *key)
{
    json_t *value = json_object_get(expected, key);
    return ORACLE_IS(value, INTEGER) ? json_integer_value(value) : 0;
}

static bool starts(const char *text, const char *with)
{
    return text && strncmp(text, with, strlen(with)) == 0;
}

/* OpenAI's older models; all others are counted by the newer vocabulary, other providers' only roughly. */
static const struct vocabulary *vocabulary_of(const char *model)
{
    bool is_old = (starts(model, "gpt-4") && !starts(model, "gpt-4o") && !starts(model, "gpt-4.1")) || starts(model, "gpt-3.5");
    return vocabulary_at(is_old ? 1 : 0);
}

static void compare(const char *provider, json_t *expected, struct meter_total total)
{
    long long theirs = number_of(expected, "output_tokens") - number_of(expected, "reasoning_tokens");
    long long ours = (long long)total.text_tokens;
    bool is_spoken_reasoning = total.reasoning_tokens > 0;
    if (theirs <= 0 || total.calls || is_spoken_reasoning) return;
    struct row *row = row_of(provider);
    long long off = theirs - ours;
    row->streams++;
    row->exact += off == 0;
    row->within_one += off >= -1 && off <= 1;
    row->within_three += off >= -3 && off <= 3;
    if (off > row->most) row->most = off;
    row->ours += ours;
    row->theirs += theirs;
}

static void replay_one(const char *folder, json_t *entry)
{
    const char *api = json_string_value(json_object_get(entry, "api"));
    json_t *expected = json_object_get(entry, "expected"), *stream = json_object_get(entry, "stream");
    bool is_ours = strcmp(api, "openai.chat") == 0 || strcmp(api, "openai.completions") == 0;
    struct buf bytes;
    if (!is_ours || !ORACLE_IS(stream, TRUE)) return;
    if (!read_file(folder, json_string_value(json_object_get(entry, "response_file")), &bytes)) {
        UNIT_FAIL("a recording's file is not there");
        return;
    }
    const char *model = json_string_value(json_object_get(expected, "model"));
    struct meter_total total =
        replay(buf_slice(&bytes), json_string_value(json_object_get(entry, "id")), vocabulary_of(model), &events);
    const char *provider = json_string_value(json_object_get(entry, "provider"));
    compare(starts(model, "gpt-5") ? GPT_REASONING : starts(model, "gpt-") ? GPT : provider, expected, total);
    streams++;
    buf_clear(&bytes);
}

static void streams_count_the_same_at_every_event(void)
{
    const char *folder = getenv("MOONGATE_RECORDINGS") ? getenv("MOONGATE_RECORDINGS") : "../shared/recordings";
    char path[1024];
    json_error_t error;
    snprintf(path, sizeof path, "%s/manifest.json", folder);
    json_t *manifest = json_load_file(path, 0, &error);
    if (!manifest) {
        printf("no recordings at %s: streams are not metered\n", folder);
        return;
    }
    json_t *list = json_object_get(manifest, "recordings");
    for (size_t i = 0; i < json_array_size(list); i++)
        replay_one(folder, json_array_get(list, i));
    printf("%zu streams, %zu events, each event's count equal to the whole's\n", streams, events);
    printf("%-20s %8s %6s %6s %6s %6s %8s\n", "answers in text", "streams", "exact", "+-1", "+-3", "most", "billed");
    for (size_t i = 0; i < row_count; i++) {
        const struct row *r = &rows[i];
        printf("%-20s %8d %6d %6d %6d %6lld %7.3fx\n", r->provider, r->streams, r->exact, r->within_one, r->within_three,
               r->most, r->ours ? (double)r->theirs / (double)r->ours : 0.0);
        /* OpenAI bills its text, its reasoning models a few tokens of their format as well. */
        if (strcmp(r->provider, GPT) == 0) EXPECT_INT(r->streams, r->within_one);
        if (strcmp(r->provider, GPT_REASONING) == 0) EXPECT(r->most <= 16);
    }
    EXPECT(streams > 60);
    json_decref(manifest);
}

/* ---- By hand. */

static uint64_t count(struct slice text)
{
    return token_count(vocabulary_at(0), text);
}

static void tell(struct meter *m, enum said_kind kind, uint32_t choice, uint32_t call, struct slice text)
{
    struct buf json;
    buf_init(&json);
    buf_append_json(&json, text);
    struct said_text place = {.len = (uint32_t)buf_len(&json), .kind = kind, .choice = choice, .call = call};
    meter_feed(m, &(struct said){.json = buf_slice(&json), .texts = &place, .text_count = 1});
    buf_clear(&json);
}

static void no_token_reaches_from_one_choice_into_another(void)
{
    struct meter *m = meter_new(vocabulary_at(0));
    for (int i = 0; i < 8; i++) {
        tell(m, SAID_CONTENT, 0, 0, SLICE("con"));
        tell(m, SAID_CONTENT, 1, 0, SLICE("fi"));
        tell(m, SAID_REASONING, 0, 0, SLICE("wo"));
    }
    uint64_t reasoning = count(SLICE("wowowowowowowowo"));
    EXPECT_INT(count(SLICE("concon" "concon" "concon" "concon")) + count(SLICE("fififififififi" "fi")) + reasoning,
               meter_total(m).text_tokens);
    EXPECT_INT(reasoning, meter_total(m).reasoning_tokens);
    EXPECT_INT(2, meter_total(m).choices);
    meter_free(m);
}

static void calls_are_counted_by_their_names(void)
{
    struct meter *m = meter_new(vocabulary_at(0));
    tell(m, SAID_CALL_NAME, 0, 0, SLICE("get_weather"));
    tell(m, SAID_CALL_ARGUMENTS, 0, 0, SLICE("{\"city\":"));
    tell(m, SAID_CALL_ARGUMENTS, 0, 0, SLICE("\"Oslo\"}"));
    tell(m, SAID_CALL_NAME, 0, 1, SLICE("get_weather"));
    EXPECT_INT(2, meter_total(m).calls);
    EXPECT_INT(2 * count(SLICE("get_weather")) + count(SLICE("{\"city\":\"Oslo\"}")), meter_total(m).text_tokens);
    meter_free(m);
}

static void more_texts_than_the_limit_share_one(void)
{
    struct meter *m = meter_new(vocabulary_at(1));
    for (uint32_t i = 0; i < 4 * LIMIT_METER_TEXTS; i++)
        tell(m, SAID_CONTENT, i, 0, SLICE(" word"));
    EXPECT_INT(LIMIT_METER_TEXTS, meter_total(m).choices);
    EXPECT_INT(4 * LIMIT_METER_TEXTS, meter_total(m).text_tokens);
    meter_free(m);
}

static void nothing_said_is_nothing(void)
{
    struct meter *m = meter_new(vocabulary_at(0));
    feed(m, SLICE(""), SLICE("{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}"));
    feed(m, SLICE(""), SLICE("{\"error\":{\"message\":\"none of this was said\"}}"));
    feed(m, SLICE(""), SLICE("[DONE]"));
    EXPECT_INT(0, meter_total(m).text_tokens);
    meter_free(m);
    meter_free(NULL);
}

static void a_whole_answer_is_read_part_by_part(void)
{
    struct meter *m = meter_new(vocabulary_at(0));
    struct dialect_stream stream;
    struct said said;
    dialect_stream_init(&stream, 1);
    dialect_openai.read_body(&reader, &stream,
                             SLICE("{\"choices\":[{\"index\":0,\"message\":{\"content\":\"Hello there\",\"tool_calls\":["
                                   "{\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}},"
                                   "{\"index\":-7,\"message\":{\"content\":\"ok\"}}]}"),
                             &said);
    EXPECT_INT(4, said.text_count);
    meter_feed(m, &said);
    EXPECT_INT(count(SLICE("Hello there")) + count(SLICE("f")) + count(SLICE("{}")) + count(SLICE("ok")),
               meter_total(m).text_tokens);
    EXPECT_INT(1, meter_total(m).calls);
    EXPECT_INT(2, meter_total(m).choices);
    meter_free(m);
}

/* --- data URLs --- */

static uint64_t tokens_of(struct slice text, size_t step)
{
    struct data_url d = {0};
    struct token_counter counter;
    struct slice part;
    token_counter_init(&counter, vocabulary_at(0));
    for (size_t at = 0; at < text.len; at += step) {
        struct slice piece = slice_of(text.ptr + at, step < text.len - at ? step : text.len - at);
        while (data_url_next(&d, &piece, &part))
            token_counter_feed(&counter, part);
        EXPECT_INT(0, piece.len);
    }
    uint64_t tokens = token_counter_total(&counter);
    token_counter_clear(&counter);
    return tokens;
}

static void expect_left_out(const char *before, size_t data, const char *behind)
{
    struct buf all = {0}, left = {0};
    buf_append(&all, slice_str(before));
    buf_append(&left, slice_str(before));
    for (size_t i = 0; i < data; i++) {
        buf_append_char(&all, "iVBORw0KGgo+/-_"[i % 15]);
        if (i < DATA_URL_TEXT_BYTES) buf_append_char(&left, "iVBORw0KGgo+/-_"[i % 15]);
    }
    buf_append(&all, slice_str(behind));
    buf_append(&left, slice_str(behind));
    uint64_t want = token_count(vocabulary_at(0), buf_slice(&left));
    for (size_t step = 1; step < 80; step += 6)
        EXPECT_INT(want, tokens_of(buf_slice(&all), step));
    EXPECT_INT(want, tokens_of(buf_slice(&all), buf_len(&all) + 1));
    buf_clear(&all);
    buf_clear(&left);
}

static void data_urls_are_no_text(void)
{
    expect_left_out("Here: ![a cat](data:image/png;base64,", 5000, ") and more.");
    expect_left_out("data:;;base64,", 64, "");
    expect_left_out("data:;base6;base64,", 65, " ;base64,");
    expect_left_out("data:image/png;base64,", 5000, ";base64,");
    expect_left_out("data:image/png;base64;", 60, "");
    expect_left_out("plain", 0, "");
}

int main(void)
{
    RUN(streams_count_the_same_at_every_event);
    RUN(no_token_reaches_from_one_choice_into_another);
    RUN(calls_are_counted_by_their_names);
    RUN(more_texts_than_the_limit_share_one);
    RUN(nothing_said_is_nothing);
    RUN(a_whole_answer_is_read_part_by_part);
    RUN(data_urls_are_no_text);
    return unit_close("meter");
}
