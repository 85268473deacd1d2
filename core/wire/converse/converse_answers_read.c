/*
 * What Amazon's Converse API says, as deltas: events of its stream and whole answers, block by block. What no other API
 * has (citations, tools that the provider runs, pictures) is told as lost.
 * A block of texts begins with its first piece; calls, and what is lost whole, begin with an event of their own. Blocks
 * come one behind the other, each with the next number.
 * Source: Amazon Bedrock API reference, ConverseStreamOutput, Message, StopReason.
 */
#include "base/mem.h"
#include "wire/converse/converse_answers.h"
#include "wire/converse/converse_inner.h"

#define OPEN_MAX 64u /* blocks at once; the API has one */
#define NO_BLOCK UINT32_MAX

enum block_kind { BLOCK_TEXT, BLOCK_THOUGHT, BLOCK_CALL, BLOCK_OTHER };

struct block {
    uint32_t index;
    enum block_kind kind;
};

struct answer_reader {
    delta_fn take;
    void *arg;
    struct fault *why;
    const struct json_tape *tape; /* of what is being read */
    struct block open[OPEN_MAX];
    uint32_t open_count;
    uint32_t next; /* block that may begin: those before it have */
    uint32_t asked; /* a call's block that has ended, untold yet; NO_BLOCK: none */
    bool has_started, has_finished, has_ended;
};

static bool refuse(const struct answer_reader *in, const char *text)
{
    return fault_set(in->why, FAULT_UNTRANSLATABLE, "The provider's answer cannot be translated: %s.", text);
}

static uint32_t get(const struct answer_reader *in, uint32_t object, const char *name)
{
    return object == JSON_NONE ? JSON_NONE : json_get(in->tape, object, slice_str(name));
}

static bool has_object(const struct answer_reader *in, uint32_t object, const char *name)
{
    return json_is(in->tape, get(in, object, name), JSON_OBJECT);
}

/* What stands inside a string member. */
static struct slice member(const struct answer_reader *in, uint32_t object, const char *name)
{
    uint32_t string = get(in, object, name);
    if (!json_is(in->tape, string, JSON_STRING)) return SLICE_NONE;
    struct slice raw = json_raw(in->tape, string);
    return slice_of(raw.ptr + 1, raw.len - 2);
}

/* ---- deltas */

static bool lose(const struct answer_reader *in, struct slice name)
{
    return in->take(in->arg, &(struct delta){.kind = DELTA_LOST, .name = name});
}

/* A union has one member, which names its kind. */
static bool lose_kind(const struct answer_reader *in, uint32_t object)
{
    uint32_t kind = json_is(in->tape, object, JSON_OBJECT) ? json_first(in->tape, object) : JSON_NONE;
    struct slice key = kind == JSON_NONE ? SLICE_NONE : json_key(in->tape, kind);
    return key.len <= 2 || lose(in, slice_of(key.ptr + 1, key.len - 2));
}

static bool say(const struct answer_reader *in, enum delta_kind kind, uint32_t part, struct slice text)
{
    return !text.len || in->take(in->arg, &(struct delta){.kind = kind, .part = part, .text = text});
}

static bool say_call(const struct answer_reader *in, uint32_t part, uint32_t call)
{
    struct delta delta = {
        .kind = DELTA_CALL, .part = part, .id = member(in, call, "toolUseId"), .name = member(in, call, "name")};
    return delta.name.len ? in->take(in->arg, &delta) : refuse(in, "a toolUse block has no name");
}

static bool say_end(const struct answer_reader *in, uint32_t part)
{
    return in->take(in->arg, &(struct delta){.kind = DELTA_PART_END, .part = part});
}

/* What a tool is asked may have been cut by the bound of the answer: that is known where something follows. */
static bool say_end_of_call(struct answer_reader *in)
{
    uint32_t asked = in->asked;
    in->asked = NO_BLOCK;
    return asked == NO_BLOCK || say_end(in, asked);
}

/* The API names neither the answer nor its model. */
static bool start(struct answer_reader *in)
{
    in->has_started = true;
    return in->take(in->arg, &(struct delta){.kind = DELTA_START});
}

static bool is_word(const struct answer_reader *in, uint32_t node, struct slice word)
{
    return json_text_is(in->tape, node, word);
}

static bool finish(struct answer_reader *in)
{
    static const struct {
        struct slice word;
        enum delta_reason reason;
    } reasons[] = {{{"end_turn", 8}, REASON_STOP},
                   {{"stop_sequence", 13}, REASON_STOP},
                   {{"tool_use", 8}, REASON_CALLS},
                   {{"max_tokens", 10}, REASON_LENGTH},
                   {{"model_context_window_exceeded", 29}, REASON_LENGTH},
                   {{"guardrail_intervened", 20}, REASON_REFUSED},
                   {{"content_filtered", 16}, REASON_REFUSED}};
    struct delta delta = {.kind = DELTA_FINISH, .reason = REASON_STOP};
    uint32_t reason = get(in, 0, "stopReason");
    bool is_known = false;
    if (!json_is(in->tape, reason, JSON_STRING)) return refuse(in, "it ended without a stopReason");
    if (is_word(in, reason, SLICE("malformed_model_output")) || is_word(in, reason, SLICE("malformed_tool_use")))
        return refuse(in, "its model wrote what its provider could not read");
    in->has_finished = true;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0] && !is_known; i++) {
        is_known = is_word(in, reason, reasons[i].word);
        delta.reason = is_known ? reasons[i].reason : REASON_STOP;
    }
    if (delta.reason != REASON_LENGTH && !say_end_of_call(in)) return false;
    return (is_known || lose(in, SLICE("stopReason"))) && in->take(in->arg, &delta);
}

static bool end(struct answer_reader *in)
{
    if (!in->has_finished) return refuse(in, "it ended without messageStop");
    in->has_ended = true;
    return in->take(in->arg, &(struct delta){.kind = DELTA_END});
}

/* ---- blocks of a stream */

static bool read_index(const struct answer_reader *in, uint32_t *index)
{
    int64_t value = -1;
    uint32_t node = get(in, 0, "contentBlockIndex");
    if (json_is(in->tape, node, JSON_NUMBER)) json_to_i64(in->tape, node, &value);
    *index = (uint32_t)value;
    return value >= 0 && value < UINT32_MAX;
}

/* NULL: there is none. */
static struct block *find_open(struct answer_reader *in, uint32_t index)
{
    for (uint32_t i = 0; i < in->open_count; i++) {
        if (in->open[i].index == index) return &in->open[i];
    }
    return NULL;
}

/* NULL, and refused: its number is one that has been, or too many are open. */
static struct block *begin(struct answer_reader *in, uint32_t index, enum block_kind kind)
{
    if (index < in->next || in->open_count == OPEN_MAX) {
        refuse(in, "a block of it is out of order");
        return NULL;
    }
    in->next = index + 1;
    in->open[in->open_count] = (struct block){index, kind};
    return &in->open[in->open_count++];
}

/* Which tool is called; what tools of the provider's own are called for is none of the client's. */
static enum block_kind kind_begun(const struct answer_reader *in, uint32_t start)
{
    uint32_t call = get(in, start, "toolUse");
    if (!json_is(in->tape, call, JSON_OBJECT)) return BLOCK_OTHER;
    return member(in, call, "type").len ? BLOCK_OTHER : BLOCK_CALL;
}

/* Some models' texts begin with an event of their own too, in which there is nothing. */
static bool open_block(struct answer_reader *in)
{
    uint32_t index, start = get(in, 0, "start");
    if (!read_index(in, &index) || !json_is(in->tape, start, JSON_OBJECT))
        return refuse(in, "a contentBlockStart has no block");
    if (json_first(in->tape, start) == JSON_NONE) return true;
    enum block_kind kind = kind_begun(in, start);
    if (!begin(in, index, kind)) return false;
    return kind == BLOCK_CALL ? say_call(in, index, get(in, start, "toolUse")) : lose_kind(in, start);
}

static bool add_thought(const struct answer_reader *in, uint32_t index, uint32_t thought)
{
    return say(in, DELTA_REASONING, index, member(in, thought, "text")) &&
           say(in, DELTA_SIGNATURE, index, member(in, thought, "signature")) &&
           say(in, DELTA_REDACTED, index, member(in, thought, "redactedContent"));
}

static bool add_piece(const struct answer_reader *in, const struct block *b, uint32_t delta)
{
    switch (b->kind) {
    case BLOCK_TEXT: return say(in, DELTA_TEXT, b->index, member(in, delta, "text"));
    case BLOCK_THOUGHT: return add_thought(in, b->index, get(in, delta, "reasoningContent"));
    case BLOCK_CALL: return say(in, DELTA_ARGUMENTS, b->index, member(in, get(in, delta, "toolUse"), "input"));
    case BLOCK_OTHER: return true; /* the whole block is lost, and told */
    }
    return true;
}

static enum block_kind kind_added(const struct answer_reader *in, uint32_t delta)
{
    if (json_is(in->tape, get(in, delta, "text"), JSON_STRING)) return BLOCK_TEXT;
    if (has_object(in, delta, "reasoningContent")) return BLOCK_THOUGHT;
    return has_object(in, delta, "toolUse") ? BLOCK_CALL : BLOCK_OTHER;
}

static bool add_to_block(struct answer_reader *in)
{
    uint32_t index, delta = get(in, 0, "delta");
    if (!read_index(in, &index) || !json_is(in->tape, delta, JSON_OBJECT))
        return refuse(in, "a contentBlockDelta has no block");
    enum block_kind kind = kind_added(in, delta);
    struct block *b = find_open(in, index);
    if (b && b->kind == BLOCK_OTHER) return true;
    if (kind == BLOCK_OTHER) return lose_kind(in, delta); /* beside a text: what it cites */
    if (!b && kind == BLOCK_CALL) return refuse(in, "a call of a tool did not begin");
    if (!b) b = begin(in, index, kind);
    if (!b) return false;
    if (b->kind != kind) return refuse(in, "a contentBlockDelta is of another kind than its block");
    return add_piece(in, b, delta);
}

/* Of an empty text nothing came but its end. */
static bool close_block(struct answer_reader *in)
{
    uint32_t index;
    if (!read_index(in, &index)) return refuse(in, "a contentBlockStop has no block");
    struct block *b = find_open(in, index);
    if (!b && index < in->next) return refuse(in, "a block of it ends twice");
    if (!b) {
        in->next = index + 1;
        return true;
    }
    enum block_kind kind = b->kind;
    *b = in->open[--in->open_count];
    if (kind == BLOCK_CALL) in->asked = index;
    return kind == BLOCK_CALL || kind == BLOCK_OTHER || say_end(in, index);
}

/* ---- a stream */

static bool read_start(struct answer_reader *in)
{
    return in->has_started ? refuse(in, "it begins twice") : start(in);
}

static bool read_stop(struct answer_reader *in)
{
    if (in->has_finished) return refuse(in, "it stops twice");
    return in->open_count ? refuse(in, "it ended inside a block") : finish(in);
}

static bool read_event(struct answer_reader *in, struct slice name, const struct said *said)
{
    static const struct {
        struct slice name;
        bool (*read)(struct answer_reader *in);
        bool is_block;
    } events[] = {{{"contentBlockDelta", 17}, add_to_block, true}, {{"contentBlockStart", 17}, open_block, true},
                  {{"contentBlockStop", 16}, close_block, true},   {{"messageStop", 11}, read_stop, false},
                  {{"metadata", 8}, end, false},                   {{"messageStart", 12}, read_start, false}};
    in->tape = said->tape;
    if (in->has_ended) return true;
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (!slice_equal(name, events[i].name)) continue;
        if (!in->has_started && events[i].read != read_start) return refuse(in, "it does not begin with messageStart");
        if (in->has_finished && events[i].is_block) return refuse(in, "a block comes behind its end");
        if (events[i].is_block && !say_end_of_call(in)) return false;
        return events[i].read(in);
    }
    return name.len ? lose(in, name) : refuse(in, "an event of it has no name");
}

/* ---- a whole answer */

static bool read_thought(const struct answer_reader *in, uint32_t thought, uint32_t part)
{
    uint32_t text = get(in, thought, "reasoningText");
    return say(in, DELTA_REASONING, part, member(in, text, "text")) &&
           say(in, DELTA_SIGNATURE, part, member(in, text, "signature")) &&
           say(in, DELTA_REDACTED, part, member(in, thought, "redactedContent")) && say_end(in, part);
}

static bool read_call(const struct answer_reader *in, uint32_t call, uint32_t part)
{
    uint32_t input = get(in, call, "input");
    if (member(in, call, "type").len) return lose(in, SLICE("toolUse"));
    if (!say_call(in, part, call)) return false;
    struct delta asked = {.kind = DELTA_ARGUMENTS, .part = part, .is_json = true, .text = json_raw(in->tape, input)};
    if (json_is(in->tape, input, JSON_OBJECT) && !in->take(in->arg, &asked)) return false;
    return say_end(in, part);
}

static bool read_cited(const struct answer_reader *in, uint32_t cited, uint32_t part)
{
    uint32_t content = get(in, cited, "content");
    for (uint32_t n = json_is(in->tape, content, JSON_ARRAY) ? json_first(in->tape, content) : JSON_NONE;
         n != JSON_NONE; n = json_next(in->tape, n))
        if (!say(in, DELTA_TEXT, part, member(in, n, "text"))) return false;
    return say_end(in, part) && lose(in, SLICE("citations"));
}

static bool read_block(const struct answer_reader *in, uint32_t block, uint32_t part)
{
    if (!json_is(in->tape, block, JSON_OBJECT)) return refuse(in, "a block of it is no object");
    if (json_is(in->tape, get(in, block, "text"), JSON_STRING))
        return say(in, DELTA_TEXT, part, member(in, block, "text")) && say_end(in, part);
    if (has_object(in, block, "reasoningContent")) return read_thought(in, get(in, block, "reasoningContent"), part);
    if (has_object(in, block, "toolUse")) return read_call(in, get(in, block, "toolUse"), part);
    if (has_object(in, block, "citationsContent")) return read_cited(in, get(in, block, "citationsContent"), part);
    return lose_kind(in, block);
}

static bool read_body(struct answer_reader *in, const struct said *said)
{
    uint32_t part = 0;
    in->tape = said->tape;
    uint32_t content = get(in, get(in, get(in, 0, "output"), "message"), "content");
    if (!json_is(in->tape, content, JSON_ARRAY)) return refuse(in, "it is no answer of Amazon's Converse API");
    if (!start(in)) return false;
    for (uint32_t n = json_first(in->tape, content); n != JSON_NONE; n = json_next(in->tape, n))
        if (!read_block(in, n, part++)) return false;
    return finish(in) && end(in);
}

static struct answer_reader *reader_new(delta_fn take, void *arg, struct fault *why)
{
    struct answer_reader *in = mem_zalloc(1, sizeof *in);
    *in = (struct answer_reader){.take = take, .arg = arg, .why = why, .asked = NO_BLOCK};
    return in;
}

static void reader_free(struct answer_reader *in)
{
    mem_free(in);
}

const struct answer_translation converse_answers = {
    .reader_new = reader_new,
    .reader_free = reader_free,
    .read_event = read_event,
    .read_body = read_body,
    .read_end = end,
    .read_failure = converse_read_failure,
};
