/*
 * What an answer of the Responses API says, whole or an event of a stream. In a stream texts come in deltas, and again,
 * whole, when a part, its item and the response are done: the deltas are told, and those of an item's texts that had
 * none, when the item is done, or with the response where that is all that comes (of proxies that have no stream
 * themselves).
 * Who is in doubt tells twice: nothing that a client reads may go by unseen.
 * Source: OpenAI API reference, the response object and "Streaming events".
 */
#include "wire/responses/responses_inner.h"

static const struct slice delta_end = {".delta", 6}, done_end = {".done", 5};

/* Without its quotes; empty: it is none. Names of the format have no escapes. */
static struct slice type_of(const struct json_tape *tape, uint32_t object)
{
    uint32_t type = json_get(tape, object, SLICE("type"));
    struct slice raw = json_is(tape, type, JSON_STRING) ? json_raw(tape, type) : SLICE_NONE;
    return raw.len > 2 ? slice_of(raw.ptr + 1, raw.len - 2) : SLICE_NONE;
}

static bool ends_with(struct slice text, struct slice end)
{
    return text.len > end.len && slice_equal(slice_of(text.ptr + text.len - end.len, end.len), end);
}

static uint32_t number_of(const struct json_tape *tape, uint32_t object, struct slice name)
{
    int64_t number = 0;
    uint32_t node = json_get(tape, object, name);
    if (json_is(tape, node, JSON_NUMBER)) json_to_i64(tape, node, &number);
    return number > 0 && number < UINT32_MAX ? (uint32_t)number : 0;
}

static bool has_item(const struct dialect_items *items, uint32_t place)
{
    if (place >= DIALECT_ITEMS_MAX) return items->beyond == place;
    return items->bits[place / 64] >> place % 64 & 1;
}

static void add_item(struct dialect_items *items, uint32_t place)
{
    if (place >= DIALECT_ITEMS_MAX)
        items->beyond = place;
    else
        items->bits[place / 64] |= (uint64_t)1 << place % 64;
}

/* ---- What of an item was told, a bit a text. */

enum { CONTENT_BITS = 4, SUMMARY_BITS = 3, ASKED = 1 << (CONTENT_BITS + SUMMARY_BITS), ALL = 0xFF };

/* 0: it is too far behind for a bit of its own. */
static unsigned content_bit(uint32_t number)
{
    return number < CONTENT_BITS ? 1u << number : 0;
}

static unsigned summary_bit(uint32_t number)
{
    return number < SUMMARY_BITS ? 1u << (CONTENT_BITS + number) : 0;
}

static unsigned told_of(const struct dialect_stream *stream, uint32_t place)
{
    if (place < DIALECT_ITEMS_MAX) return stream->spoken[place];
    return stream->spoken_beyond == place ? ALL : 0;
}

static void add_told(struct dialect_stream *stream, uint32_t place, unsigned bits)
{
    if (place < DIALECT_ITEMS_MAX)
        stream->spoken[place] |= (uint8_t)bits;
    else
        stream->spoken_beyond = place;
}

/* ---- Items, whole. */

static void tell_value(struct said_telling *t, uint32_t value)
{
    bool is_value = value != JSON_NONE && json_type(t->tape, value) >= JSON_ARRAY &&
                    json_first(t->tape, value) != JSON_NONE;
    said_tell(t, value, SAID_CALL_ARGUMENTS);
    if (is_value) said_add_json(t->reader, value, t->text);
}

/* Those whose bit is not among the told ones. */
static void tell_parts(struct said_telling *t, uint32_t parts, enum said_kind kind, unsigned (*bit_of)(uint32_t number),
                       unsigned told)
{
    uint32_t number = 0;
    if (!json_is(t->tape, parts, JSON_ARRAY)) return;
    for (uint32_t n = json_first(t->tape, parts); n != JSON_NONE; n = json_next(t->tape, n)) {
        if (bit_of(number++) & told) continue;
        said_tell(t, json_get(t->tape, n, SLICE("text")), kind);
        said_tell(t, json_get(t->tape, n, SLICE("refusal")), SAID_REFUSAL);
    }
}

/* What tools of the provider gave back are not the model's words. */
static bool is_result(struct slice type)
{
    return ends_with(type, SLICE("_output")) || slice_equal(type, SLICE("mcp_list_tools"));
}

/* What the model asks, under the names that calls have for it. */
static void tell_asked(struct said_telling *t, uint32_t item)
{
    static const struct slice names[] = {{"arguments", 9}, {"input", 5},     {"code", 4},
                                         {"action", 6},    {"operation", 9}, {"queries", 7}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        tell_value(t, json_get(t->tape, item, names[i]));
}

static void tell_name(struct said_telling *t, uint32_t item)
{
    if (!is_result(type_of(t->tape, item))) said_tell(t, json_get(t->tape, item, SLICE("name")), SAID_CALL_NAME);
}

static void tell_item(struct said_telling *t, uint32_t item, unsigned told)
{
    struct slice type = type_of(t->tape, item);
    bool is_reasoning = slice_equal(type, SLICE("reasoning"));
    if (is_result(type)) return;
    t->text.is_whole = true;
    tell_parts(t, json_get(t->tape, item, SLICE("summary")), SAID_REASONING, summary_bit, told);
    tell_parts(t, json_get(t->tape, item, SLICE("content")), is_reasoning ? SAID_REASONING : SAID_CONTENT, content_bit,
               told);
    if (!(told & ASKED)) tell_asked(t, item);
    t->text.is_whole = false;
}

static void tell_output(struct said_telling *t, uint32_t output)
{
    uint32_t place = 0;
    if (!json_is(t->tape, output, JSON_ARRAY)) return;
    for (uint32_t n = json_first(t->tape, output); n != JSON_NONE; n = json_next(t->tape, n)) {
        t->text.call = place++;
        tell_name(t, n);
        tell_item(t, n, 0);
    }
}

/* ---- What the provider charges for beside tokens. Source: OpenAI's price list, "Built-in tools": of what is done in
 * the web the searches alone; a server of MCP is free. */

static int64_t *calls_of(const struct json_tape *tape, uint32_t item, struct usage *usage)
{
    struct slice type = type_of(tape, item), action = type_of(tape, json_get(tape, item, SLICE("action")));
    bool is_search = !action.len || slice_equal(action, SLICE("search"));
    if (slice_equal(type, SLICE("web_search_call"))) return is_search ? &usage->web_searches : NULL;
    if (slice_equal(type, SLICE("x_search_call"))) return &usage->x_searches;
    if (slice_equal(type, SLICE("file_search_call"))) return &usage->file_searches;
    if (slice_equal(type, SLICE("code_interpreter_call"))) return &usage->code_runs;
    return slice_equal(type, SLICE("image_generation_call")) ? &usage->images : NULL;
}

static void count_call(const struct json_tape *tape, uint32_t item, struct usage *usage)
{
    int64_t *calls = calls_of(tape, item, usage);
    if (calls) usage_add_call(calls);
}

static void count_calls(const struct json_tape *tape, uint32_t output, struct usage *usage)
{
    if (!json_is(tape, output, JSON_ARRAY)) return;
    for (uint32_t n = json_first(tape, output); n != JSON_NONE; n = json_next(tape, n))
        count_call(tape, n, usage);
}

/* ---- Events. */

/* "response.output_text.delta": what is between names the text that grows. */
static enum said_kind kind_of(struct slice type)
{
    static const struct {
        struct slice beginning;
        enum said_kind kind;
    } kinds[] = {{{"response.output_text.", 21}, SAID_CONTENT},
                 {{"response.refusal.", 17}, SAID_REFUSAL},
                 {{"response.reasoning", 18}, SAID_REASONING},
                 {{"response.audio.transcript.", 26}, SAID_CONTENT}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (slice_starts(type, kinds[i].beginning)) return kinds[i].kind;
    }
    return SAID_CALL_ARGUMENTS;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9E3779B97F4A7C15ull;
    return hash ^ hash >> 32;
}

/* Which text it is: by all numbers that the format has for one, and by its name. */
static uint64_t part_of(const struct json_tape *tape, struct slice name)
{
    static const struct slice numbers[] = {
        {"output_index", 12}, {"content_index", 13}, {"summary_index", 13}, {"command_index", 13}};
    uint64_t part = name.len;
    for (size_t i = 0; i < name.len; i++)
        part = (part ^ (unsigned char)name.ptr[i]) * 0x100000001b3ull;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        part = mix(part, number_of(tape, 0, numbers[i]));
    return part;
}

/* The text that a delta goes on with. */
static unsigned grown_bit(const struct json_tape *tape, struct slice type)
{
    if (kind_of(type) == SAID_CALL_ARGUMENTS) return ASKED;
    if (slice_starts(type, SLICE("response.reasoning_summary")))
        return summary_bit(number_of(tape, 0, SLICE("summary_index")));
    return content_bit(number_of(tape, 0, SLICE("content_index")));
}

static void tell_delta(struct said_telling *t, struct dialect_stream *stream, struct slice type)
{
    uint32_t before = t->reader->count;
    bool is_sound = slice_equal(type, SLICE("response.audio.delta")); /* base64 */
    if (!is_sound && !slice_starts(type, SLICE("response.shell_call_output")))
        said_tell(t, json_get(t->tape, 0, SLICE("delta")), kind_of(type));
    if (t->reader->count > before) add_told(stream, t->text.call, grown_bit(t->tape, type));
}

static void name_item(struct said_telling *t, struct dialect_stream *stream, uint32_t item)
{
    uint32_t before = t->reader->count;
    if (!has_item(&stream->named, t->text.call)) tell_name(t, item);
    if (t->reader->count > before) add_item(&stream->named, t->text.call);
}

/* All of it that no event has told yet. An item that is empty may come again with its texts. */
static void end_item(struct said_telling *t, struct dialect_stream *stream, uint32_t item)
{
    uint32_t place = t->text.call;
    name_item(t, stream, item);
    uint32_t before = t->reader->count;
    tell_item(t, item, told_of(stream, place));
    if (t->reader->count > before) add_told(stream, place, ALL);
}

static void end_output(struct said_telling *t, struct dialect_stream *stream, uint32_t output)
{
    uint32_t place = 0;
    if (!json_is(t->tape, output, JSON_ARRAY)) return;
    if (!stream->has_items) count_calls(t->tape, output, &stream->usage);
    for (uint32_t n = json_first(t->tape, output); n != JSON_NONE; n = json_next(t->tape, n)) {
        t->text.call = place++;
        end_item(t, stream, n);
    }
}

static void tell_event(struct said_telling *t, struct dialect_stream *stream, struct slice type, bool is_end)
{
    uint32_t item = json_get(t->tape, 0, SLICE("item")), response = json_get(t->tape, 0, SLICE("response"));
    t->text.call = number_of(t->tape, 0, SLICE("output_index"));
    if (ends_with(type, delta_end))
        tell_delta(t, stream, type);
    else if (slice_equal(type, SLICE("response.output_item.added")))
        name_item(t, stream, item);
    else if (is_end)
        end_output(t, stream, json_get(t->tape, response, SLICE("output")));
    if (!slice_equal(type, SLICE("response.output_item.done"))) return;
    end_item(t, stream, item);
    count_call(t->tape, item, &stream->usage);
    stream->has_items = true;
}

/* A piece of what is too large to be kept (wire/skim.h) may have no type. */
static void tell_piece(struct said_telling *t, struct dialect_stream *stream)
{
    tell_output(t, json_get(t->tape, 0, SLICE("output")));
    count_calls(t->tape, json_get(t->tape, 0, SLICE("output")), &stream->usage);
    t->text.call = 0;
    said_tell(t, json_get(t->tape, 0, SLICE("delta")), SAID_CONTENT);
}

/* Of an event that was read: which text its delta goes on with, or that nothing more comes of that. */
static void set_part(const struct json_tape *tape, struct said *said)
{
    struct slice type = type_of(tape, 0);
    bool is_delta = ends_with(type, delta_end), is_done = ends_with(type, done_end);
    said->has_parts = true;
    if (!is_delta && !is_done) return;
    said->part = part_of(tape, slice_of(type.ptr, type.len - (is_delta ? delta_end.len : done_end.len)));
    if (is_done) said->what |= SAID_PART_ENDS;
}

/* ---- All of it. */

static bool is_said(const struct json_tape *tape, uint32_t node)
{
    return node != JSON_NONE && !json_is(tape, node, JSON_NULL);
}

/* Why it is not whole is a better word than that it is not. */
static unsigned read_finish(struct dialect_stream *stream, const struct json_tape *tape, uint32_t response)
{
    uint32_t status = json_get(tape, response, SLICE("status"));
    uint32_t details = json_get(tape, response, SLICE("incomplete_details"));
    uint32_t reason = json_get(tape, details, SLICE("reason"));
    bool goes_on = json_text_is(tape, status, SLICE("in_progress")) || json_text_is(tape, status, SLICE("queued"));
    if (goes_on || !json_is(tape, status, JSON_STRING)) return 0;
    uint32_t word = json_is(tape, reason, JSON_STRING) ? reason : status;
    dialect_copy_text(stream->finish_reason, sizeof stream->finish_reason, tape, word);
    stream->finished[0] |= 1;
    return SAID_FINISHED;
}

static void read_model(struct dialect_stream *stream, const struct json_tape *tape, uint32_t response)
{
    uint32_t model = json_get(tape, response, SLICE("model"));
    if (!stream->model[0] && json_is(tape, model, JSON_STRING))
        dialect_copy_text(stream->model, sizeof stream->model, tape, model);
}

/* An "error" that says something: the client's library raises it, whatever else the event is. What has failed is one
 * without words, too. */
static unsigned read_error(struct dialect_stream *stream, const struct json_tape *tape, uint32_t response)
{
    bool is_error = is_said(tape, json_get(tape, 0, SLICE("error"))) ||
                    is_said(tape, json_get(tape, response, SLICE("error"))) ||
                    json_text_is(tape, json_get(tape, response, SLICE("status")), SLICE("failed")) ||
                    json_text_is(tape, json_get(tape, 0, SLICE("type")), SLICE("response.failed"));
    if (!is_error) return 0;
    stream->has_error = true;
    return SAID_ERROR;
}

static unsigned read_response(struct said_reader *reader, struct dialect_stream *stream, uint32_t response)
{
    const struct json_tape *tape = &reader->tape;
    usage_read(&stream->usage, USAGE_SHAPE_RESPONSES, tape);
    read_model(stream, tape, response);
    return read_finish(stream, tape, response) | read_error(stream, tape, response);
}

static unsigned read_whole(struct said_reader *reader, struct dialect_stream *stream)
{
    struct said_telling t = {.reader = reader, .tape = &reader->tape};
    tell_output(&t, json_get(t.tape, 0, SLICE("output")));
    count_calls(t.tape, json_get(t.tape, 0, SLICE("output")), &stream->usage);
    return read_response(reader, stream, 0);
}

void responses_read_body(struct said_reader *reader, struct dialect_stream *stream, struct slice body,
                         struct said *said)
{
    dialect_read_body(reader, stream, body, said, read_whole);
}

static unsigned what_is(struct dialect_stream *stream, struct slice type)
{
    static const struct slice ends[] = {
        {"response.completed", 18}, {"response.incomplete", 19}, {"response.failed", 15}, {"response.cancelled", 18}};
    if (slice_equal(type, SLICE("error"))) {
        stream->has_error = true;
        return SAID_ERROR;
    }
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (!slice_equal(type, ends[i])) continue;
        stream->has_done = true;
        return SAID_DONE;
    }
    return 0;
}

static unsigned read_one(struct said_reader *reader, struct dialect_stream *stream)
{
    struct said_telling t = {.reader = reader, .tape = &reader->tape};
    uint32_t response = json_get(t.tape, 0, SLICE("response"));
    struct slice type = type_of(t.tape, 0);
    unsigned what = what_is(stream, type);
    if (type.len)
        tell_event(&t, stream, type, what & SAID_DONE);
    else
        tell_piece(&t, stream);
    return what | read_response(reader, stream, json_is(t.tape, response, JSON_OBJECT) ? response : 0);
}

/* OpenAI writes no end marker of chats here, some proxies do. */
void responses_read_event(struct said_reader *reader, struct dialect_stream *stream, struct slice name,
                          struct slice data, struct said *said)
{
    if (!dialect_begin_event(reader, stream, name, data, said)) return;
    dialect_read_json(reader, stream, said, read_one);
    if (said->tape && !(said->what & SAID_UNREADABLE)) set_part(said->tape, said);
}

/* A status alone is no end: clients wait for the event of it. */
enum dialect_end responses_judge_end(const struct dialect_stream *stream)
{
    if (stream->has_error) return DIALECT_FAILED;
    return stream->has_done ? DIALECT_COMPLETE : DIALECT_CUT;
}
