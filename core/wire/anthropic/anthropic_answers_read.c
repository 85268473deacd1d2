/*
 * What Anthropic's providers say, as deltas: events of a stream and whole messages, block by block. What no other API
 * has (citations, tools that the provider runs, what it compacted) is told as lost, once a block.
 * Source: Anthropic API reference, POST /v1/messages and "Streaming messages".
 */
#include "base/mem.h"
#include "wire/anthropic/anthropic_answers.h"

#define OPEN_MAX 64u /* blocks at once; the API has one */

#define STARTED_PARTS 0x80000000u /* blocks that came with the beginning: no event has such an index */

enum block_kind { BLOCK_TEXT, BLOCK_THINKING, BLOCK_CALL, BLOCK_OTHER };

struct block {
    uint32_t index;
    enum block_kind kind;
    bool has_arguments;
    struct buf input; /* of a call that began with its arguments: they count when none come */
};

struct answer_reader {
    delta_fn take;
    void *arg;
    struct fault *why;
    const struct json_tape *tape; /* of what is being read */
    struct block *open; /* NULL: none was */
    uint32_t open_count, open_cap;
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

static bool is_type(const struct answer_reader *in, uint32_t object, struct slice type)
{
    return json_text_is(in->tape, json_get(in->tape, object, SLICE("type")), type);
}

/* ---- deltas */

static bool lose(const struct answer_reader *in, struct slice name)
{
    return in->take(in->arg, &(struct delta){.kind = DELTA_LOST, .name = name});
}

/* Of an empty text there is nothing to say. */
static bool say(const struct answer_reader *in, enum delta_kind kind, uint32_t part, struct slice text)
{
    return !text.len || in->take(in->arg, &(struct delta){.kind = kind, .part = part, .text = text});
}

static bool say_object(const struct answer_reader *in, uint32_t part, struct slice json)
{
    return in->take(in->arg,
                    &(struct delta){.kind = DELTA_ARGUMENTS, .part = part, .is_json = true, .text = json});
}

static bool lose_filled(const struct answer_reader *in, uint32_t object, const char *name)
{
    uint32_t node = json_get(in->tape, object, slice_str(name));
    bool is_empty = node == JSON_NONE || json_type(in->tape, node) == JSON_NULL ||
                    (json_type(in->tape, node) >= JSON_ARRAY && json_first(in->tape, node) == JSON_NONE);
    return is_empty || lose(in, slice_str(name));
}

static bool start(struct answer_reader *in, uint32_t message)
{
    in->has_started = true;
    return in->take(in->arg, &(struct delta){.kind = DELTA_START,
                                             .id = member(in, message, "id"),
                                             .name = member(in, message, "model")}) &&
           lose_filled(in, message, "container");
}

/* A sequence that stopped it has no place elsewhere; why it was refused is a text of the provider's. */
static bool finish(struct answer_reader *in, uint32_t object)
{
    static const struct {
        struct slice word;
        enum delta_reason reason;
    } reasons[] = {{{"end_turn", 8}, REASON_STOP},
                   {{"stop_sequence", 13}, REASON_STOP},
                   {{"pause_turn", 10}, REASON_STOP},
                   {{"max_tokens", 10}, REASON_LENGTH},
                   {{"model_context_window_exceeded", 29}, REASON_LENGTH},
                   {{"tool_use", 8}, REASON_CALLS},
                   {{"refusal", 7}, REASON_REFUSED}};
    struct delta delta = {.kind = DELTA_FINISH, .reason = REASON_STOP};
    uint32_t reason = json_get(in->tape, object, SLICE("stop_reason"));
    bool is_known = false;
    if (in->has_finished || !json_is(in->tape, reason, JSON_STRING)) return true;
    in->has_finished = true;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0] && !is_known; i++) {
        is_known = json_text_is(in->tape, reason, reasons[i].word);
        delta.reason = is_known ? reasons[i].reason : REASON_STOP;
    }
    return (is_known || lose(in, SLICE("stop_reason"))) && lose_filled(in, object, "stop_sequence") &&
           say(in, DELTA_REFUSAL, 0,
               member(in, json_get(in->tape, object, SLICE("stop_details")), "explanation")) &&
           in->take(in->arg, &delta);
}

static bool end(struct answer_reader *in)
{
    if (!in->has_finished) return refuse(in, "it ended without a stop_reason");
    in->has_ended = true;
    return in->take(in->arg, &(struct delta){.kind = DELTA_END});
}

/* ---- blocks */

static enum block_kind kind_of(const struct answer_reader *in, uint32_t block)
{
    if (is_type(in, block, SLICE("text"))) return BLOCK_TEXT;
    if (is_type(in, block, SLICE("thinking"))) return BLOCK_THINKING;
    return is_type(in, block, SLICE("tool_use")) ? BLOCK_CALL : BLOCK_OTHER;
}

/* Of a call the name, and what stands in its block from the beginning. */
static bool begin_call(const struct answer_reader *in, uint32_t block, uint32_t part)
{
    struct delta call = {.kind = DELTA_CALL,
                         .part = part,
                         .id = member(in, block, "id"),
                         .name = member(in, block, "name")};
    return call.name.len ? in->take(in->arg, &call) : refuse(in, "a tool_use block has no name");
}

/* What a block holds, or begins with. */
static bool read_block(const struct answer_reader *in, uint32_t block, uint32_t part)
{
    switch (kind_of(in, block)) {
    case BLOCK_TEXT:
        return say(in, DELTA_TEXT, part, member(in, block, "text")) && lose_filled(in, block, "citations");
    case BLOCK_THINKING:
        return say(in, DELTA_REASONING, part, member(in, block, "thinking")) &&
               say(in, DELTA_SIGNATURE, part, member(in, block, "signature"));
    case BLOCK_CALL: return begin_call(in, block, part);
    case BLOCK_OTHER: break;
    }
    if (is_type(in, block, SLICE("redacted_thinking")))
        return say(in, DELTA_REDACTED, part, member(in, block, "data"));
    struct slice type = member(in, block, "type");
    return type.len ? lose(in, type) : refuse(in, "a block of it has no type");
}

/* SIZE_MAX: there is none. */
static size_t find_open(const struct answer_reader *in, uint32_t index)
{
    for (size_t i = 0; i < in->open_count; i++) {
        if (in->open[i].index == index) return i;
    }
    return SIZE_MAX;
}

static bool read_index(const struct answer_reader *in, uint32_t *index)
{
    int64_t value = -1;
    uint32_t node = json_get(in->tape, 0, SLICE("index"));
    if (json_is(in->tape, node, JSON_NUMBER)) json_to_i64(in->tape, node, &value);
    *index = (uint32_t)value;
    return value >= 0 && value < STARTED_PARTS;
}

static void keep_input(const struct answer_reader *in, struct block *b, uint32_t input)
{
    if (!json_is(in->tape, input, JSON_OBJECT) || json_first(in->tape, input) == JSON_NONE) return;
    buf_append(&b->input, json_raw(in->tape, input));
}

static bool open_block(struct answer_reader *in)
{
    uint32_t index, block = json_get(in->tape, 0, SLICE("content_block"));
    if (!read_index(in, &index) || !json_is(in->tape, block, JSON_OBJECT) || find_open(in, index) != SIZE_MAX)
        return refuse(in, "a content_block_start is out of order");
    if (in->open_count == OPEN_MAX) return refuse(in, "too many of its blocks are open at once");
    if (in->open_count == in->open_cap) {
        in->open_cap = in->open_cap ? 2 * in->open_cap : 2;
        in->open = mem_realloc(in->open, in->open_cap * sizeof *in->open);
    }
    struct block *b = &in->open[in->open_count++];
    *b = (struct block){.index = index, .kind = kind_of(in, block)};
    if (b->kind == BLOCK_CALL) keep_input(in, b, json_get(in->tape, block, SLICE("input")));
    return read_block(in, block, index);
}

static bool add_to_block(struct answer_reader *in)
{
    static const struct {
        struct slice type;
        const char *text;
        enum delta_kind kind;
        enum block_kind block;
    } deltas[] = {{{"text_delta", 10}, "text", DELTA_TEXT, BLOCK_TEXT},
                  {{"input_json_delta", 16}, "partial_json", DELTA_ARGUMENTS, BLOCK_CALL},
                  {{"thinking_delta", 14}, "thinking", DELTA_REASONING, BLOCK_THINKING},
                  {{"signature_delta", 15}, "signature", DELTA_SIGNATURE, BLOCK_THINKING}};
    uint32_t index, delta = json_get(in->tape, 0, SLICE("delta"));
    size_t at = read_index(in, &index) ? find_open(in, index) : SIZE_MAX;
    if (at == SIZE_MAX) return refuse(in, "a content_block_delta is of no block");
    struct block *b = &in->open[at];
    if (b->kind == BLOCK_OTHER) return true; /* the whole block is lost, and told */
    for (size_t i = 0; i < sizeof deltas / sizeof deltas[0]; i++) {
        if (!is_type(in, delta, deltas[i].type)) continue;
        if (b->kind != deltas[i].block) return refuse(in, "a content_block_delta is of another kind than its block");
        struct slice text = member(in, delta, deltas[i].text);
        b->has_arguments |= text.len > 0;
        return say(in, deltas[i].kind, index, text);
    }
    if (is_type(in, delta, SLICE("citations_delta"))) return lose(in, SLICE("citations"));
    struct slice type = member(in, delta, "type");
    return type.len ? lose(in, type) : refuse(in, "a content_block_delta has no type");
}

static void close_at(struct answer_reader *in, size_t at)
{
    buf_clear(&in->open[at].input);
    in->open[at] = in->open[--in->open_count];
}

static bool close_block(struct answer_reader *in)
{
    uint32_t index;
    size_t at = read_index(in, &index) ? find_open(in, index) : SIZE_MAX;
    if (at == SIZE_MAX) return refuse(in, "a content_block_stop is of no block");
    struct block *b = &in->open[at];
    bool begins_whole = b->kind == BLOCK_CALL && !b->has_arguments && buf_len(&b->input);
    bool is_told = !begins_whole || say_object(in, index, buf_slice(&b->input));
    is_told = is_told && (b->kind == BLOCK_OTHER ||
                          in->take(in->arg, &(struct delta){.kind = DELTA_PART_END, .part = index}));
    close_at(in, at);
    return is_told;
}

/* ---- a message */

static bool read_content(const struct answer_reader *in, uint32_t content, uint32_t part)
{
    if (!json_is(in->tape, content, JSON_ARRAY)) return true;
    for (uint32_t n = json_first(in->tape, content); n != JSON_NONE; n = json_next(in->tape, n), part++) {
        uint32_t input = json_get(in->tape, n, SLICE("input"));
        if (!read_block(in, n, part)) return false;
        if (kind_of(in, n) == BLOCK_CALL && json_is(in->tape, input, JSON_OBJECT) &&
            !say_object(in, part, json_raw(in->tape, input)))
            return false;
        if (kind_of(in, n) != BLOCK_OTHER &&
            !in->take(in->arg, &(struct delta){.kind = DELTA_PART_END, .part = part}))
            return false;
    }
    return true;
}

static bool read_body(struct answer_reader *in, const struct said *said)
{
    in->tape = said->tape;
    uint32_t content = json_get(in->tape, 0, SLICE("content"));
    if (!is_type(in, 0, SLICE("message")) || !json_is(in->tape, content, JSON_ARRAY))
        return refuse(in, "it is no message of Anthropic's API");
    return start(in, 0) && read_content(in, content, 0) && finish(in, 0) && end(in);
}

/* Where a program of the provider's called a tool, the message is whole from its beginning on. */
static bool start_stream(struct answer_reader *in)
{
    uint32_t message = json_get(in->tape, 0, SLICE("message"));
    if (in->has_started || !json_is(in->tape, message, JSON_OBJECT))
        return refuse(in, "a message_start is out of order");
    return start(in, message) &&
           read_content(in, json_get(in->tape, message, SLICE("content")), STARTED_PARTS) && finish(in, message);
}

static bool read_message_delta(struct answer_reader *in)
{
    uint32_t delta = json_get(in->tape, 0, SLICE("delta"));
    if (in->open_count) return refuse(in, "it ended inside a block");
    return lose_filled(in, delta, "container") && lose_filled(in, 0, "context_management") && finish(in, delta);
}

/* What is not among the events of today is no error: the vendor says that there will be others. */
static bool read_other(const struct answer_reader *in)
{
    struct slice type = member(in, 0, "type");
    if (is_type(in, 0, SLICE("ping"))) return in->take(in->arg, &(struct delta){.kind = DELTA_PING});
    return type.len ? lose(in, type) : refuse(in, "an event of it is none of Anthropic's API");
}

static bool read_event(struct answer_reader *in, struct slice name, const struct said *said)
{
    static const struct {
        struct slice type;
        bool (*read)(struct answer_reader *in);
    } inner[] = {{{"content_block_delta", 19}, add_to_block},
                 {{"content_block_start", 19}, open_block},
                 {{"content_block_stop", 18}, close_block},
                 {{"message_delta", 13}, read_message_delta},
                 {{"message_stop", 12}, end}};
    (void)name; /* the type inside says it */
    in->tape = said->tape;
    if (in->has_ended) return true;
    if (is_type(in, 0, SLICE("message_start"))) return start_stream(in);
    for (size_t i = 0; i < sizeof inner / sizeof inner[0]; i++) {
        if (!is_type(in, 0, inner[i].type)) continue;
        return in->has_started ? inner[i].read(in) : refuse(in, "it does not begin with message_start");
    }
    return read_other(in);
}

/* A stream of this API has an end marker or none: then it was cut. */
static bool read_end(struct answer_reader *in)
{
    return refuse(in, "it ended without message_stop");
}

static struct answer_reader *reader_new(delta_fn take, void *arg, struct fault *why)
{
    struct answer_reader *in = mem_zalloc(1, sizeof *in);
    *in = (struct answer_reader){.take = take, .arg = arg, .why = why};
    return in;
}

static void reader_free(struct answer_reader *in)
{
    if (!in) return;
    while (in->open_count)
        close_at(in, in->open_count - 1);
    mem_free(in->open);
    mem_free(in);
}

const struct answer_translation anthropic_answers = {
    .reader_new = reader_new,
    .reader_free = reader_free,
    .read_event = read_event,
    .read_body = read_body,
    .read_end = read_end,
    .read_failure = anthropic_read_failure,
    .writer_new = anthropic_writer_new,
    .writer_free = anthropic_writer_free,
    .write = anthropic_write,
    .word_failure = anthropic_word_failure,
};
