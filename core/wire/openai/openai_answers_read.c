/*
 * What providers that speak the OpenAI API's dialect say, as deltas: chunks of a stream and whole completions, of which
 * the first choice counts. Its texts are those that were read anyway (wire/said.h); calls, ends and what has no
 * counterpart are looked for here.
 * Source: OpenAI API reference, the chat completion object and its chunks; what compatible providers were seen to send.
 */
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/openai/openai_answers.h"

/* Calls that began: a provider's number, which some use twice, each time with another id. */
struct call {
    uint32_t index;
    uint64_t id; /* hashed; 0: it had none */
};

struct answer_reader {
    delta_fn take;
    void *arg;
    struct fault *why;
    const struct json_tape *tape; /* of what is being read */
    const struct said *said;
    uint32_t text_from, text_to; /* of said's texts: those of the choice that is being read */
    struct slice beside; /* the choice's own "text", which only completions have */
    struct call *calls; /* by part; NULL: none began */
    uint32_t call_count, call_cap;
    uint32_t thoughts; /* that have ended, with a signature */
    bool has_started, has_finished, has_ended;
};

static bool refuse(const struct answer_reader *in, const char *text)
{
    return fault_set(in->why, FAULT_UNTRANSLATABLE, "The provider's answer cannot be translated: %s.", text);
}

static struct slice inside(const struct answer_reader *in, uint32_t string)
{
    if (!json_is(in->tape, string, JSON_STRING)) return SLICE_NONE;
    struct slice raw = json_raw(in->tape, string);
    return slice_of(raw.ptr + 1, raw.len - 2);
}

static struct slice member(const struct answer_reader *in, uint32_t object, const char *name)
{
    return inside(in, json_get(in->tape, object, slice_str(name)));
}

static bool say(const struct answer_reader *in, enum delta_kind kind, uint32_t part, struct slice text)
{
    return !text.len || in->take(in->arg, &(struct delta){.kind = kind, .part = part, .text = text});
}

/* ---- what has no counterpart */

static bool is_empty(const struct answer_reader *in, uint32_t node)
{
    enum json_type type = json_type(in->tape, node);
    if (type >= JSON_ARRAY) return json_first(in->tape, node) == JSON_NONE;
    return type == JSON_NULL || (type == JSON_STRING && json_raw(in->tape, node).len == 2);
}

static bool is_among(const struct slice *names, size_t count, struct slice key)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(names[i], key)) return true;
    }
    return false;
}

/* Everything that is not named is lost, unless there is nothing in it. */
static bool lose_others(const struct answer_reader *in, uint32_t object, const struct slice *names, size_t count)
{
    if (!json_is(in->tape, object, JSON_OBJECT)) return true;
    for (uint32_t n = json_first(in->tape, object); n != JSON_NONE; n = json_next(in->tape, n)) {
        struct slice raw = json_key(in->tape, n), key = slice_of(raw.ptr + 1, raw.len - 2);
        if (is_empty(in, n) || is_among(names, count, key)) continue;
        if (!in->take(in->arg, &(struct delta){.kind = DELTA_LOST, .name = key})) return false;
    }
    return true;
}
#define LOSE_OTHERS(in, object, names) lose_others(in, object, names, sizeof(names) / sizeof(names)[0])

/* Facts about the answer, and padding: no part of it. What a filter says of it is one. */
static const struct slice of_root[] = {
    {"id", 2},           {"object", 6},     {"created", 7},           {"model", 5},      {"choices", 7},
    {"usage", 5},        {"obfuscation", 11}, {"system_fingerprint", 18}, {"service_tier", 12}, {"x_groq", 6},
    {"provider", 8},     {"p", 1},          {"request_id", 10},       {"time_info", 9},  {"sla_metrics", 11},
    {"usage_breakdown", 15}, {"latency_checkpoint", 18}, {"user_id", 7}, {"metadata", 8},
};
static const struct slice of_choice[] = {{"index", 5},          {"delta", 5},   {"message", 7},
                                         {"finish_reason", 13}, {"native_finish_reason", 20}, {"text", 4},
                                         {"stop_reason", 11},   {"seed", 4},    {"token_ids", 9}};
static const struct slice of_message[] = {
    {"role", 4},          {"content", 7},   {"refusal", 7},           {"reasoning_content", 17},
    {"reasoning", 9},     {"channel", 7},   {"reasoning_details", 17}, {"tool_calls", 10},
    {"function_call", 13}, {"token_id", 8}, {"name", 4}};

static bool has_text(const struct answer_reader *in, uint32_t part)
{
    static const struct slice names[] = {{"text", 4}, {"refusal", 7}, {"thinking", 8}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (json_get(in->tape, part, names[i]) != JSON_NONE) return true;
    }
    return false;
}

/* Of a message in parts, those that are no text. */
static bool lose_parts(const struct answer_reader *in, uint32_t content)
{
    if (!json_is(in->tape, content, JSON_ARRAY)) return true;
    for (uint32_t n = json_first(in->tape, content); n != JSON_NONE; n = json_next(in->tape, n)) {
        struct slice type = member(in, n, "type");
        if (has_text(in, n)) continue;
        if (!in->take(in->arg, &(struct delta){.kind = DELTA_LOST, .name = type.len ? type : SLICE("content")}))
            return false;
    }
    return true;
}

/* ---- calls */

static uint64_t hash_of(struct slice id)
{
    return id.len ? hash_secret(id) | 1 : 0;
}

/* UINT32_MAX: it has not begun. */
static uint32_t find_call(const struct answer_reader *in, uint32_t index, uint64_t id)
{
    for (uint32_t i = in->call_count; i-- > 0;) {
        const struct call *call = &in->calls[i];
        if (call->index == index && (!id || !call->id || call->id == id)) return i;
    }
    return UINT32_MAX;
}

static bool begin_call(struct answer_reader *in, uint32_t index, struct slice id, struct slice name)
{
    struct delta delta = {.kind = DELTA_CALL, .part = in->call_count, .id = id, .name = name};
    if (!name.len) return refuse(in, "a call of a tool has no name");
    if (in->call_count == LIMIT_TRANSLATE_CALLS) return refuse(in, "too many tools are called");
    if (in->call_count == in->call_cap) {
        in->call_cap = in->call_cap ? 2 * in->call_cap : 4;
        in->calls = mem_realloc(in->calls, in->call_cap * sizeof *in->calls);
    }
    in->calls[in->call_count++] = (struct call){index, hash_of(id)};
    return in->take(in->arg, &delta);
}

/* Some servers give the object itself. */
static bool say_arguments(const struct answer_reader *in, uint32_t part, uint32_t arguments)
{
    if (!json_is(in->tape, arguments, JSON_OBJECT)) return say(in, DELTA_ARGUMENTS, part, inside(in, arguments));
    return in->take(in->arg, &(struct delta){.kind = DELTA_ARGUMENTS,
                                             .part = part,
                                             .is_json = true,
                                             .text = json_raw(in->tape, arguments)});
}

/* Without a name it goes on, whatever its id is now. */
static bool read_call(struct answer_reader *in, uint32_t function, uint32_t index, struct slice id)
{
    struct slice name = member(in, function, "name");
    uint32_t part = find_call(in, index, name.len ? hash_of(id) : 0);
    if (part == UINT32_MAX) {
        part = in->call_count;
        if (!begin_call(in, index, id, name)) return false;
    }
    return say_arguments(in, part, json_get(in->tape, function, SLICE("arguments")));
}

static uint32_t index_of(const struct answer_reader *in, uint32_t element, uint32_t place)
{
    int64_t index = place;
    uint32_t number = json_get(in->tape, element, SLICE("index"));
    if (json_is(in->tape, number, JSON_NUMBER)) json_to_i64(in->tape, number, &index);
    return index >= 0 && index < UINT32_MAX ? (uint32_t)index : place;
}

static bool read_calls(struct answer_reader *in, uint32_t calls)
{
    uint32_t place = 0;
    if (!json_is(in->tape, calls, JSON_ARRAY)) return true;
    for (uint32_t n = json_first(in->tape, calls); n != JSON_NONE; n = json_next(in->tape, n), place++) {
        uint32_t function = json_get(in->tape, n, SLICE("function"));
        if (!json_is(in->tape, function, JSON_OBJECT)) return refuse(in, "a call is of another kind than a function");
        if (!read_call(in, function, index_of(in, n, place), member(in, n, "id"))) return false;
    }
    return true;
}

/* ---- texts */

/* Of one choice: what stands inside it, behind those of the ones before. An event may hold the same choice again, and
 * what each says is said once. */
static void take_texts(struct answer_reader *in, uint32_t choice)
{
    struct slice raw = json_raw(in->tape, choice);
    size_t behind = (size_t)(raw.ptr - in->said->json.ptr) + raw.len;
    in->text_from = in->text_to;
    while (in->text_to < in->said->text_count && in->said->texts[in->text_to].at < behind)
        in->text_to++;
}

/* Of the first choice's message, where they were read; some servers have its text beside it once more. */
static bool say_texts(const struct answer_reader *in, enum said_kind kind, enum delta_kind as, uint32_t part)
{
    for (uint32_t i = in->text_from; i < in->text_to; i++) {
        const struct said_text *text = &in->said->texts[i];
        bool is_beside = in->said->json.ptr + text->at == in->beside.ptr;
        if (text->kind != kind || is_beside) continue;
        if (!say(in, as, part, slice_of(in->said->json.ptr + text->at + 1, text->len - 2))) return false;
    }
    return true;
}

/* OpenRouter: what its provider wants back with a thought. */
static bool read_details(struct answer_reader *in, uint32_t details)
{
    if (!json_is(in->tape, details, JSON_ARRAY)) return true;
    for (uint32_t n = json_first(in->tape, details); n != JSON_NONE; n = json_next(in->tape, n)) {
        struct slice signature = member(in, n, "signature"), data = member(in, n, "data");
        if (!say(in, DELTA_SIGNATURE, in->thoughts, signature)) return false;
        in->thoughts += signature.len > 0;
        if (!say(in, DELTA_REDACTED, in->thoughts, data)) return false;
        in->thoughts += data.len > 0;
    }
    return true;
}

static bool read_message(struct answer_reader *in, uint32_t message)
{
    uint32_t legacy = json_get(in->tape, message, SLICE("function_call"));
    if (!say_texts(in, SAID_REASONING, DELTA_REASONING, in->thoughts) ||
        !read_details(in, json_get(in->tape, message, SLICE("reasoning_details"))) ||
        !say_texts(in, SAID_CONTENT, DELTA_TEXT, 0) || !say_texts(in, SAID_REFUSAL, DELTA_REFUSAL, 0))
        return false;
    return read_calls(in, json_get(in->tape, message, SLICE("tool_calls"))) &&
           (!json_is(in->tape, legacy, JSON_OBJECT) || read_call(in, legacy, UINT32_MAX, SLICE_NONE)) &&
           lose_parts(in, json_get(in->tape, message, SLICE("content"))) && LOSE_OTHERS(in, message, of_message);
}

/* ---- a choice */

static bool finish(struct answer_reader *in, uint32_t reason)
{
    static const struct {
        struct slice word;
        enum delta_reason reason;
    } reasons[] = {{{"stop", 4}, REASON_STOP},           {{"tool_calls", 10}, REASON_CALLS},
                   {{"length", 6}, REASON_LENGTH},       {{"content_filter", 14}, REASON_REFUSED},
                   {{"function_call", 13}, REASON_CALLS}, {{"model_length", 12}, REASON_LENGTH},
                   {{"max_tokens", 10}, REASON_LENGTH}};
    static const struct slice failed[] = {{"error", 5}, {"insufficient_system_resource", 28}};
    struct delta delta = {.kind = DELTA_FINISH, .reason = REASON_STOP};
    if (in->has_finished || !json_is(in->tape, reason, JSON_STRING)) return true;
    for (size_t i = 0; i < sizeof failed / sizeof failed[0]; i++) {
        if (json_text_is(in->tape, reason, failed[i])) return refuse(in, "its provider gave up in the middle of it");
    }
    in->has_finished = true;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (!json_text_is(in->tape, reason, reasons[i].word)) continue;
        delta.reason = reasons[i].reason;
        return in->take(in->arg, &delta);
    }
    return in->take(in->arg, &(struct delta){.kind = DELTA_LOST, .name = SLICE("finish_reason")}) &&
           in->take(in->arg, &delta);
}

static bool start(struct answer_reader *in)
{
    if (in->has_started) return true;
    in->has_started = true;
    return in->take(in->arg, &(struct delta){.kind = DELTA_START,
                                             .id = member(in, 0, "id"),
                                             .name = member(in, 0, "model")});
}

static bool read_choice(struct answer_reader *in, uint32_t choice)
{
    uint32_t message = json_get(in->tape, choice, SLICE("delta"));
    if (!json_is(in->tape, message, JSON_OBJECT)) message = json_get(in->tape, choice, SLICE("message"));
    in->beside = json_raw(in->tape, json_get(in->tape, choice, SLICE("text")));
    return read_message(in, message) && finish(in, json_get(in->tape, choice, SLICE("finish_reason"))) &&
           LOSE_OTHERS(in, choice, of_choice);
}

static bool read_choices(struct answer_reader *in, uint32_t choices)
{
    uint32_t place = 0;
    in->text_from = in->text_to = 0;
    for (uint32_t n = json_first(in->tape, choices); n != JSON_NONE; n = json_next(in->tape, n), place++) {
        bool is_first = index_of(in, n, place) == 0;
        take_texts(in, n);
        if (!start(in)) return false;
        if (!(is_first ? read_choice(in, n)
                       : in->take(in->arg, &(struct delta){.kind = DELTA_LOST, .name = SLICE("choices")})))
            return false;
    }
    return true;
}

/* Some servers give no reason: their end marker says that it is whole all the same. */
static bool end(struct answer_reader *in)
{
    struct delta unsaid = {.kind = DELTA_FINISH, .reason = REASON_STOP};
    if (!in->has_started) return refuse(in, "it ended before it began");
    if (!in->has_finished && !in->take(in->arg, &unsaid)) return false;
    in->has_ended = true;
    return in->take(in->arg, &(struct delta){.kind = DELTA_END});
}

static bool read_event(struct answer_reader *in, struct slice name, const struct said *said)
{
    (void)name; /* events of this dialect have none, but for errors */
    if (in->has_ended) return true;
    if (said->what & SAID_DONE) return end(in);
    in->tape = said->tape;
    in->said = said;
    uint32_t choices = json_get(in->tape, 0, SLICE("choices")), usage = json_get(in->tape, 0, SLICE("usage"));
    if (json_is(in->tape, choices, JSON_ARRAY)) return read_choices(in, choices) && LOSE_OTHERS(in, 0, of_root);
    bool is_chunk = json_is(in->tape, usage, JSON_OBJECT) ||
                    json_text_is(in->tape, json_get(in->tape, 0, SLICE("object")), SLICE("chat.completion.chunk"));
    return is_chunk || refuse(in, "an event of it is no chunk of a chat completion");
}

static bool read_body(struct answer_reader *in, const struct said *said)
{
    in->tape = said->tape;
    in->said = said;
    uint32_t choices = json_get(in->tape, 0, SLICE("choices"));
    if (!json_is(in->tape, choices, JSON_ARRAY) || json_first(in->tape, choices) == JSON_NONE)
        return refuse(in, "it is no chat completion");
    return read_choices(in, choices) && LOSE_OTHERS(in, 0, of_root) && end(in);
}

static struct answer_reader *reader_new(delta_fn take, void *arg, struct fault *why)
{
    struct answer_reader *in = mem_zalloc(1, sizeof *in);
    in->take = take;
    in->arg = arg;
    in->why = why;
    return in;
}

static void reader_free(struct answer_reader *in)
{
    if (!in) return;
    mem_free(in->calls);
    mem_free(in);
}

const struct answer_translation openai_answers = {
    .reader_new = reader_new,
    .reader_free = reader_free,
    .read_event = read_event,
    .read_body = read_body,
    .read_end = end,
    .read_failure = openai_read_failure,
    .writer_new = openai_writer_new,
    .writer_free = openai_writer_free,
    .write = openai_write,
    .word_failure = openai_word_failure,
};
