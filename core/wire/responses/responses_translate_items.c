/* Items of the Responses API's input, into the hub. Source: OpenAI API reference, POST /v1/responses, input. */
#include "wire/responses/responses_translate.h"

struct items {
    struct reading *in;
    struct json_tape arguments; /* of one call at a time */
};

static bool is_word(const struct reading *in, uint32_t node, struct slice word)
{
    return json_text_is(in->tape, node, word);
}

static struct slice text_of(const struct reading *in, uint32_t node)
{
    return json_is(in->tape, node, JSON_STRING) ? json_text(in->tape, node, in->c->arena) : SLICE("");
}

static bool refuse_type(const struct reading *in, const char *what, uint32_t type)
{
    struct slice name = text_of(in, type);
    return reading_refuse(in, "%s of type \"%.*s\" cannot be translated for this model's provider", what,
                          name.len > 40 ? 40 : (int)name.len, name.ptr);
}

/* --- parts of a content --- */

enum {
    PART_TYPE,
    PART_TEXT_OF,
    PART_REFUSAL_OF,
    PART_IMAGE_URL,
    PART_DETAIL,
    PART_FILE_DATA,
    PART_FILENAME,
    PART_MEMBERS
};
static const struct slice part_names[PART_MEMBERS] = {
    [PART_TYPE] = {"type", 4},           [PART_TEXT_OF] = {"text", 4},    [PART_REFUSAL_OF] = {"refusal", 7},
    [PART_IMAGE_URL] = {"image_url", 9}, [PART_DETAIL] = {"detail", 6},   [PART_FILE_DATA] = {"file_data", 9},
    [PART_FILENAME] = {"filename", 8},
};

static bool read_image(const struct reading *in, const uint32_t at[PART_MEMBERS], struct part_list *list)
{
    if (!json_is(in->tape, at[PART_IMAGE_URL], JSON_STRING))
        return reading_refuse(in, "this model's provider has no files of yours: give \"image_url\"");
    if (at[PART_DETAIL] != JSON_NONE && !is_word(in, at[PART_DETAIL], SLICE("auto"))) reading_drop(in, SLICE("detail"));
    struct part *p = reading_add_part(in, list, PART_IMAGE);
    if (!p) return false;
    struct slice raw = json_raw(in->tape, at[PART_IMAGE_URL]);
    enum data_url kind = reading_data_url(in, raw, p);
    if (kind == URL_NONE) p->url = raw;
    return kind != URL_BAD || reading_refuse(in, "a data URL must be in base64");
}

static bool read_file(const struct reading *in, const uint32_t at[PART_MEMBERS], struct part_list *list)
{
    if (!json_is(in->tape, at[PART_FILE_DATA], JSON_STRING))
        return reading_refuse(in, "this model's provider has no files of yours: give \"file_data\"");
    struct part *p = reading_add_part(in, list, PART_DOCUMENT);
    if (!p) return false;
    enum data_url kind = reading_data_url(in, json_raw(in->tape, at[PART_FILE_DATA]), p);
    if (kind != URL_DATA || !slice_iequal(p->media_type, SLICE("application/pdf")))
        return reading_refuse(in, "this model's provider takes PDF alone, as \"data:application/pdf;base64,…\"");
    return reading_string(in, at[PART_FILENAME], "filename", &p->name);
}

static bool read_text(const struct reading *in, uint32_t text, enum part_kind kind, struct part_list *list)
{
    struct slice raw;
    return reading_string(in, text, kind == PART_REFUSAL ? "refusal" : "text", &raw) &&
           reading_add_text(in, list, kind, raw, SLICE_NONE);
}

static bool is_text(const struct reading *in, uint32_t type)
{
    return type == JSON_NONE || is_word(in, type, SLICE("input_text")) || is_word(in, type, SLICE("output_text")) ||
           is_word(in, type, SLICE("text"));
}

static bool read_part(const struct reading *in, uint32_t node, struct part_list *list)
{
    uint32_t at[PART_MEMBERS];
    if (!json_is(in->tape, node, JSON_OBJECT)) return reading_refuse(in, "must be an object");
    reading_members(in, node, part_names, PART_MEMBERS, at);
    if (is_text(in, at[PART_TYPE])) return read_text(in, at[PART_TEXT_OF], PART_TEXT, list);
    if (is_word(in, at[PART_TYPE], SLICE("refusal"))) return read_text(in, at[PART_REFUSAL_OF], PART_REFUSAL, list);
    if (is_word(in, at[PART_TYPE], SLICE("input_image"))) return read_image(in, at, list);
    if (is_word(in, at[PART_TYPE], SLICE("input_file"))) return read_file(in, at, list);
    return refuse_type(in, "parts", at[PART_TYPE]);
}

/* A text, or parts. */
static bool read_content(struct reading *in, uint32_t content, const char *name, struct part_list *list)
{
    if (content == JSON_NONE) return true;
    in->place.inner = name;
    in->place.inner_number = PLACE_UNNUMBERED;
    if (json_is(in->tape, content, JSON_STRING)) {
        if (!reading_add_text(in, list, PART_TEXT, json_raw(in->tape, content), SLICE_NONE)) return false;
    } else if (!json_is(in->tape, content, JSON_ARRAY)) {
        return reading_refuse(in, "must be a string or an array of parts");
    } else {
        for (uint32_t n = json_first(in->tape, content); n != JSON_NONE; n = json_next(in->tape, n)) {
            in->place.inner_number++;
            if (!read_part(in, n, list)) return false;
        }
    }
    in->place.inner = NULL;
    return true;
}

/* --- items --- */

enum {
    TYPE,
    ID,
    STATUS,
    ROLE,
    CONTENT,
    CALL_ID,
    NAME,
    NAMESPACE,
    ARGUMENTS,
    INPUT,
    OUTPUT,
    SUMMARY,
    ENCRYPTED,
    ITEM_MEMBERS
};
static const struct slice item_names[ITEM_MEMBERS] = {
    [TYPE] = {"type", 4},
    [ID] = {"id", 2},
    [STATUS] = {"status", 6},
    [ROLE] = {"role", 4},
    [CONTENT] = {"content", 7},
    [CALL_ID] = {"call_id", 7},
    [NAME] = {"name", 4},
    [NAMESPACE] = {"namespace", 9},
    [ARGUMENTS] = {"arguments", 9},
    [INPUT] = {"input", 5},
    [OUTPUT] = {"output", 6},
    [SUMMARY] = {"summary", 7},
    [ENCRYPTED] = {"encrypted_content", 17},
};

static bool read_message(struct items *i, const uint32_t at[ITEM_MEMBERS])
{
    struct reading *in = i->in;
    uint32_t role = at[ROLE];
    bool is_assistant = is_word(in, role, SLICE("assistant")), is_user = is_word(in, role, SLICE("user"));
    bool is_system = is_word(in, role, SLICE("system")) || is_word(in, role, SLICE("developer"));
    if (!is_assistant && !is_user && !is_system)
        return reading_refuse(in, "messages of this \"role\" cannot be translated for this model's provider");
    enum speaker speaker = is_assistant ? SPEAKER_ASSISTANT : is_system ? SPEAKER_SYSTEM : SPEAKER_USER;
    struct part_list *list = reading_list_for(in, speaker);
    const struct part *before = list ? list->last : NULL;
    return list && read_content(in, at[CONTENT], "content", list) && reading_fits(in, speaker, list, before);
}

/* Whoever says it. NULL: there are too many. */
static struct part *add_item(const struct reading *in, enum speaker speaker, enum part_kind kind)
{
    struct part_list *list = reading_list_for(in, speaker);
    return list ? reading_add_part(in, list, kind) : NULL;
}

/* NULL: refused. */
static struct part *add_call(struct items *i, const uint32_t at[ITEM_MEMBERS])
{
    struct reading *in = i->in;
    struct slice id, name, space;
    bool is_read = reading_string(in, at[CALL_ID], "call_id", &id) && reading_string(in, at[NAME], "name", &name) &&
                   reading_string(in, at[NAMESPACE], "namespace", &space);
    if (is_read && (!id.len || !name.len)) is_read = reading_refuse(in, "a call must have \"call_id\" and \"name\"");
    struct part *call = is_read ? add_item(in, SPEAKER_ASSISTANT, PART_CALL) : NULL;
    if (!call) return NULL;
    call->id = id;
    call->name = tool_names_flat(in->c->arena, space, name);
    return call;
}

static bool read_function_call(struct items *i, const uint32_t at[ITEM_MEMBERS])
{
    struct part *call = add_call(i, at);
    return call && reading_arguments(i->in, &i->arguments, at[ARGUMENTS], &call->text);
}

/* A text is the one thing that it is asked. */
static bool read_custom_call(struct items *i, const uint32_t at[ITEM_MEMBERS])
{
    struct slice input;
    struct part *call = add_call(i, at);
    if (!call || !reading_string(i->in, at[INPUT], "input", &input)) return false;
    call->text = arena_printf(i->in->c->arena, "{\"input\":%.*s}", SLICE_FMT(input.len ? input : SLICE("\"\"")));
    return true;
}

static bool read_output(struct items *i, const uint32_t at[ITEM_MEMBERS])
{
    struct reading *in = i->in;
    if (!json_is(in->tape, at[CALL_ID], JSON_STRING)) return reading_refuse(in, "\"call_id\" must be a string");
    struct part *result = add_item(in, SPEAKER_USER, PART_RESULT);
    if (!result) return false;
    result->id = json_raw(in->tape, at[CALL_ID]);
    if (!read_content(in, at[OUTPUT], "output", &result->parts)) return false;
    return reading_fits(in, SPEAKER_USER, &(struct part_list){result, result}, NULL);
}

/* All texts of the list as one JSON string. */
static struct slice join_texts(const struct reading *in, uint32_t list)
{
    struct buf all;
    buf_init(&all);
    buf_append_char(&all, '"');
    uint32_t n = json_is(in->tape, list, JSON_ARRAY) ? json_first(in->tape, list) : JSON_NONE;
    for (; n != JSON_NONE; n = json_next(in->tape, n)) {
        uint32_t text = json_get(in->tape, n, SLICE("text"));
        if (!json_is(in->tape, text, JSON_STRING)) continue;
        if (buf_len(&all) > 1) buf_append(&all, SLICE("\\n\\n"));
        buf_append(&all, reading_inside(json_raw(in->tape, text)));
    }
    buf_append_char(&all, '"');
    struct slice joined = arena_copy(in->c->arena, buf_slice(&all));
    buf_clear(&all);
    return joined;
}

/* What stands behind that beginning, as a JSON string; empty: it does not begin so. */
static struct slice behind(const struct reading *in, struct slice raw, struct slice beginning)
{
    struct slice text = reading_inside(raw);
    if (!slice_starts(text, beginning)) return SLICE_NONE;
    return arena_printf(in->c->arena, "\"%.*s\"", (int)(text.len - beginning.len), text.ptr + beginning.len);
}

/* What another provider has encrypted is of no use here, and neither is what it says of that. */
static bool read_reasoning(struct items *i, const uint32_t at[ITEM_MEMBERS])
{
    struct reading *in = i->in;
    struct slice encrypted;
    if (!reading_string(in, at[ENCRYPTED], "encrypted_content", &encrypted)) return false;
    struct slice signature = behind(in, encrypted, SLICE(RESPONSES_SIGNATURE));
    struct slice redacted = behind(in, encrypted, SLICE(RESPONSES_REDACTED));
    struct slice text = join_texts(in, at[CONTENT]);
    if (text.len <= 2) text = join_texts(in, at[SUMMARY]);
    bool is_foreign = encrypted.len > 2 && !signature.len && !redacted.len;
    if (is_foreign) reading_drop(in, SLICE(""));
    if (is_foreign || (!redacted.len && !signature.len && text.len <= 2)) return reading_counts(in);
    struct part *p = add_item(in, SPEAKER_ASSISTANT, PART_REASONING);
    if (!p) return false;
    p->is_redacted = redacted.len > 0;
    p->text = p->is_redacted ? redacted : text;
    p->signature = signature;
    return true;
}

/* That the provider has searched: what it found is in what it said. */
static bool drop_item(struct items *i, const uint32_t at[ITEM_MEMBERS])
{
    (void)at;
    reading_drop(i->in, SLICE(""));
    return reading_counts(i->in);
}

static bool read_item(struct items *i, uint32_t node)
{
    static const struct {
        struct slice type;
        bool (*read)(struct items *i, const uint32_t at[ITEM_MEMBERS]);
    } kinds[] = {{{"message", 7}, read_message},
                 {{"function_call", 13}, read_function_call},
                 {{"function_call_output", 20}, read_output},
                 {{"reasoning", 9}, read_reasoning},
                 {{"custom_tool_call", 16}, read_custom_call},
                 {{"custom_tool_call_output", 23}, read_output},
                 {{"web_search_call", 15}, drop_item}};
    uint32_t at[ITEM_MEMBERS];
    const struct reading *in = i->in;
    if (!json_is(in->tape, node, JSON_OBJECT)) return reading_refuse(in, "must be an object");
    uint32_t type = json_get(in->tape, node, SLICE("type"));
    bool has_type = type != JSON_NONE && !json_is(in->tape, type, JSON_NULL);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        if (has_type ? !is_word(in, type, kinds[k].type) : k > 0) continue;
        if (kinds[k].read == drop_item) return drop_item(i, at);
        reading_members(in, node, item_names, ITEM_MEMBERS, at);
        return kinds[k].read(i, at);
    }
    return refuse_type(in, "items", type);
}

static bool read_string(struct reading *in, uint32_t input)
{
    struct part_list *list = reading_list_for(in, SPEAKER_USER);
    return list && reading_add_text(in, list, PART_TEXT, json_raw(in->tape, input), SLICE_NONE);
}

bool responses_read_input(struct reading *in, uint32_t input)
{
    struct items i = {.in = in};
    bool is_good = true;
    if (input == JSON_NONE) return true;
    if (json_is(in->tape, input, JSON_STRING)) return read_string(in, input);
    if (!json_is(in->tape, input, JSON_ARRAY)) return reading_refuse(in, "\"input\" must be a string or an array");
    json_init(&i.arguments);
    in->place = (struct place){.list = "input", .is_message = true};
    for (uint32_t n = json_first(in->tape, input); n != JSON_NONE && is_good; n = json_next(in->tape, n)) {
        is_good = read_item(&i, n);
        in->place.number += is_good;
    }
    json_clear(&i.arguments);
    in->place = (struct place){.list = NULL};
    return is_good;
}
