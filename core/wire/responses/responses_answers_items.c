/* Items of an answer of the Responses API, as deltas. Source: OpenAI API reference, the response object. */
#include "base/mem.h"
#include "wire/responses/responses_reading.h"
#include "wire/translate/writing.h"

#define PARAGRAPH SLICE("\\n\\n") /* of a thought, in a JSON string */

bool responses_refuse(const struct answer_reader *in, const char *text)
{
    return fault_set(in->why, FAULT_UNTRANSLATABLE, "The provider's answer cannot be translated: %s.", text);
}

uint32_t responses_get(const struct answer_reader *in, uint32_t object, const char *name)
{
    return object == JSON_NONE ? JSON_NONE : json_get(in->tape, object, slice_str(name));
}

struct slice responses_member(const struct answer_reader *in, uint32_t object, const char *name)
{
    uint32_t string = responses_get(in, object, name);
    if (!json_is(in->tape, string, JSON_STRING)) return SLICE_NONE;
    struct slice raw = json_raw(in->tape, string);
    return slice_of(raw.ptr + 1, raw.len - 2);
}

static bool is_type(const struct answer_reader *in, uint32_t object, struct slice type)
{
    return json_text_is(in->tape, responses_get(in, object, "type"), type);
}

uint32_t responses_first(const struct answer_reader *in, uint32_t object, const char *name)
{
    uint32_t list = responses_get(in, object, name);
    return json_is(in->tape, list, JSON_ARRAY) ? json_first(in->tape, list) : JSON_NONE;
}

/* ---- deltas */

bool responses_lose(const struct answer_reader *in, struct slice name)
{
    return in->take(in->arg, &(struct delta){.kind = DELTA_LOST, .name = name});
}

bool responses_lose_filled(const struct answer_reader *in, uint32_t object, const char *name)
{
    uint32_t node = responses_get(in, object, name);
    bool is_empty = node == JSON_NONE || json_type(in->tape, node) == JSON_NULL ||
                    (json_type(in->tape, node) >= JSON_ARRAY && json_first(in->tape, node) == JSON_NONE);
    return is_empty || responses_lose(in, slice_str(name));
}

/* Of an empty text there is nothing to say. */
static bool say(const struct answer_reader *in, enum delta_kind kind, uint32_t part, struct slice text)
{
    return !text.len || in->take(in->arg, &(struct delta){.kind = kind, .part = part, .text = text});
}

static bool end_part(const struct answer_reader *in, uint32_t part)
{
    return in->take(in->arg, &(struct delta){.kind = DELTA_PART_END, .part = part});
}

/* ---- items */

static enum responses_item_kind kind_of(const struct answer_reader *in, uint32_t item)
{
    static const struct {
        struct slice type;
        enum responses_item_kind kind;
    } kinds[] = {{{"message", 7}, RESPONSES_SAID},
                 {{"reasoning", 9}, RESPONSES_THOUGHT},
                 {{"function_call", 13}, RESPONSES_ASKED},
                 {{"custom_tool_call", 16}, RESPONSES_GIVEN}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (is_type(in, item, kinds[i].type)) return kinds[i].kind;
    }
    return RESPONSES_ELSE;
}

/* A content's number, of all in the answer; a thought's and a call's is that of their first. */
static uint32_t part_of(const struct answer_reader *in, const struct responses_told *item, uint32_t content)
{
    return (uint32_t)(item - in->items) * RESPONSES_CONTENTS_MAX + content;
}

struct responses_told *responses_item_at(struct answer_reader *in, uint32_t place)
{
    if (place >= DIALECT_ITEMS_MAX) {
        responses_refuse(in, "it has too many items");
        return NULL;
    }
    while (place >= in->item_count) {
        if (in->item_count == in->item_cap) {
            in->item_cap = in->item_cap ? 2 * in->item_cap : 8;
            in->items = mem_realloc(in->items, in->item_cap * sizeof *in->items);
        }
        in->items[in->item_count++] = (struct responses_told){.kind = RESPONSES_NOTHING};
    }
    return &in->items[place];
}

bool responses_enter(struct answer_reader *in, struct responses_told *item, enum responses_item_kind kind)
{
    if (item->is_ended) return responses_refuse(in, "an item of it goes on behind its end");
    if (item->kind != RESPONSES_NOTHING)
        return item->kind == kind || responses_refuse(in, "an item of it turns into another kind");
    item->kind = kind;
    in->begun++;
    return true;
}

/* ---- messages */

bool responses_say(const struct answer_reader *in, struct responses_told *item, uint32_t content, enum delta_kind kind,
                        struct slice text, bool is_whole)
{
    uint64_t bit;
    if (content >= RESPONSES_CONTENTS_MAX) return responses_refuse(in, "a message of it has too many parts");
    bit = (uint64_t)1 << content;
    if (!text.len || (is_whole && item->told & bit)) return true;
    item->told |= bit;
    return say(in, kind, part_of(in, item, content), text);
}

static bool read_content(const struct answer_reader *in, struct responses_told *item, uint32_t content, uint32_t node)
{
    if (is_type(in, node, SLICE("refusal")))
        return responses_say(in, item, content, DELTA_REFUSAL, responses_member(in, node, "refusal"), true);
    if (!is_type(in, node, SLICE("output_text"))) {
        struct slice type = responses_member(in, node, "type");
        return type.len ? responses_lose(in, type) : responses_refuse(in, "a part of a message has no type");
    }
    return responses_say(in, item, content, DELTA_TEXT, responses_member(in, node, "text"), true) &&
           responses_lose_filled(in, node, "annotations") && responses_lose_filled(in, node, "logprobs");
}

static bool read_message(struct answer_reader *in, struct responses_told *item, uint32_t node)
{
    uint32_t content = 0;
    for (uint32_t n = responses_first(in, node, "content"); n != JSON_NONE; n = json_next(in->tape, n)) {
        if (!read_content(in, item, content++, n)) return false;
    }
    for (content = 0; content < RESPONSES_CONTENTS_MAX; content++) {
        bool is_told = item->told >> content & 1;
        if (is_told && !end_part(in, part_of(in, item, content))) return false;
    }
    return responses_lose_filled(in, node, "phase");
}

/* ---- thoughts */

/* What is between paragraphs leads the text, for it stands nowhere in the source. */
bool responses_think(const struct answer_reader *in, struct responses_told *item, uint32_t *begun, uint32_t number,
                     struct slice text)
{
    struct delta thought = {.kind = DELTA_REASONING, .part = part_of(in, item, 0), .text = text};
    bool is_next = number >= *begun;
    if (!text.len) return true;
    if (is_next) *begun = number + 1;
    if (is_next && item->has_text) thought.lead = PARAGRAPH;
    item->has_text = true;
    return in->take(in->arg, &thought);
}

/* Those that have not begun. */
static bool think_rest(const struct answer_reader *in, struct responses_told *item, uint32_t node, const char *list,
                       uint32_t *begun)
{
    uint32_t number = 0;
    for (uint32_t n = responses_first(in, node, list); n != JSON_NONE; n = json_next(in->tape, n), number++) {
        struct slice text = responses_member(in, n, "text");
        if (number >= *begun && !responses_think(in, item, begun, number, text)) return false;
    }
    return true;
}

/* Encrypted, with the item's id, for it is good for that alone; of a thought without words there is nothing else. */
static bool sign(struct answer_reader *in, const struct responses_told *item, uint32_t node)
{
    struct slice id = responses_member(in, node, "id"), encrypted = responses_member(in, node, "encrypted_content");
    if (!encrypted.len) return true;
    buf_reset(&in->text);
    buf_append(&in->text, SLICE(SIGNATURE_OF_OPENAI));
    if (id.len && !memchr(id.ptr, '.', id.len)) buf_append(&in->text, id);
    buf_append_char(&in->text, '.');
    buf_append(&in->text, encrypted);
    return say(in, item->has_text ? DELTA_SIGNATURE : DELTA_REDACTED, part_of(in, item, 0), buf_slice(&in->text));
}

static bool read_thought(struct answer_reader *in, struct responses_told *item, uint32_t node)
{
    return think_rest(in, item, node, "summary", &item->summaries) &&
           think_rest(in, item, node, "content", &item->contents) && sign(in, item, node) &&
           end_part(in, part_of(in, item, 0));
}

/* ---- calls */

/* Results go by call_id. A name that is not known yet comes with the end. */
static bool begin_call(struct answer_reader *in, struct responses_told *item, uint32_t node)
{
    struct slice id = responses_member(in, node, "call_id");
    struct delta call = {.kind = DELTA_CALL,
                         .part = part_of(in, item, 0),
                         .id = id.len ? id : responses_member(in, node, "id"),
                         .name = responses_member(in, node, "name")};
    if (item->is_called || !call.name.len) return true;
    item->is_called = in->has_calls = true;
    return in->take(in->arg, &call);
}

/* Before its name is known nothing is told of it. */
bool responses_ask(const struct answer_reader *in, struct responses_told *item, struct slice text)
{
    if (!item->is_called || !text.len) return true;
    item->has_text = true;
    return say(in, DELTA_ARGUMENTS, part_of(in, item, 0), text);
}

/* Cut by the bound of the answer, it ends with that; not all servers say so of the item. */
static bool end_call(const struct answer_reader *in, const struct responses_told *item, uint32_t node)
{
    if (!item->is_called) return responses_refuse(in, "a call of a tool has no name");
    bool is_cut = in->is_cut || json_text_is(in->tape, responses_get(in, node, "status"), SLICE("incomplete"));
    return (is_cut || end_part(in, part_of(in, item, 0))) && responses_lose_filled(in, node, "namespace");
}

static bool read_call(struct answer_reader *in, struct responses_told *item, uint32_t node)
{
    if (!begin_call(in, item, node)) return false;
    if (!item->has_text && !responses_ask(in, item, responses_member(in, node, "arguments"))) return false;
    return end_call(in, item, node);
}

/* A text is the one thing that it is asked, which others have as "input". */
static bool read_custom(struct answer_reader *in, struct responses_told *item, uint32_t node)
{
    struct delta asked = {.kind = DELTA_ARGUMENTS, .part = part_of(in, item, 0), .is_json = true};
    if (!begin_call(in, item, node)) return false;
    buf_reset(&in->text);
    buf_append(&in->text, SLICE("{\"input\":\""));
    buf_append(&in->text, responses_member(in, node, "input"));
    buf_append(&in->text, SLICE("\"}"));
    asked.text = buf_slice(&in->text);
    return (!item->is_called || in->take(in->arg, &asked)) && end_call(in, item, node);
}

/* ---- whole items, and those that begin or are done */

static bool lose_item(const struct answer_reader *in, uint32_t node)
{
    struct slice type = responses_member(in, node, "type");
    return type.len ? responses_lose(in, type) : responses_refuse(in, "an item of it has no type");
}

bool responses_begin_item(struct answer_reader *in, uint32_t place, uint32_t node)
{
    struct responses_told *item = responses_item_at(in, place);
    enum responses_item_kind kind = kind_of(in, node);
    if (!item) return false;
    if (item->kind != RESPONSES_NOTHING) return responses_refuse(in, "an item of it begins twice");
    if (!responses_enter(in, item, kind)) return false;
    return kind == RESPONSES_ELSE ? lose_item(in, node) : kind != RESPONSES_ASKED || begin_call(in, item, node);
}

bool responses_end_item(struct answer_reader *in, uint32_t place, uint32_t node)
{
    struct responses_told *item = responses_item_at(in, place);
    bool is_new = item && item->kind == RESPONSES_NOTHING;
    if (!item || !responses_enter(in, item, kind_of(in, node))) return false;
    item->is_ended = true;
    switch (item->kind) {
    case RESPONSES_SAID: return read_message(in, item, node);
    case RESPONSES_THOUGHT: return read_thought(in, item, node);
    case RESPONSES_ASKED: return read_call(in, item, node);
    case RESPONSES_GIVEN: return read_custom(in, item, node);
    case RESPONSES_ELSE:
    case RESPONSES_NOTHING: break;
    }
    return !is_new || lose_item(in, node);
}

