/* Messages of OpenAI's chats, into the hub. Source: OpenAI API reference, POST /v1/chat/completions. */
#include "wire/openai/openai_translate.h"

struct messages {
    struct reading *in;
    struct json_tape arguments; /* of one call at a time */
};

/* --- parts of a content --- */

static struct part *add_part(const struct reading *in, struct part_list *list, enum part_kind kind, struct slice cache)
{
    struct part *p = reading_add_part(in, list, kind);
    if (p) p->cache = cache;
    return p;
}

static bool read_image(struct reading *in, uint32_t image, struct part_list *list, struct slice cache)
{
    static const struct slice names[] = {{"url", 3}, {"detail", 6}};
    uint32_t at[2];
    in->place.leaf = "image_url";
    if (!reading_members(in, image, names, 2, at)) return false;
    uint32_t url = json_is(in->tape, image, JSON_STRING) ? image : at[0];
    if (!json_is(in->tape, url, JSON_STRING)) return reading_refuse(in, "\"url\" must be a string");
    struct part *p = add_part(in, list, PART_IMAGE, cache);
    if (!p) return false;
    if (at[1] != JSON_NONE && !json_text_is(in->tape, at[1], SLICE("auto"))) p->detail = json_raw(in->tape, at[1]);
    struct slice raw = json_raw(in->tape, url);
    enum data_url kind = reading_data_url(in, raw, p);
    if (kind == URL_BAD) return reading_refuse(in, "a data URL must be in base64");
    if (kind == URL_NONE) p->url = raw;
    in->place.leaf = NULL;
    return true;
}

static bool read_file(struct reading *in, uint32_t file, struct part_list *list, struct slice cache)
{
    static const struct slice names[] = {{"file_data", 9}, {"filename", 8}, {"file_id", 7}};
    uint32_t at[3];
    in->place.leaf = "file";
    if (!reading_members(in, file, names, 3, at)) return false;
    if (!json_is(in->tape, at[0], JSON_STRING))
        return reading_refuse(in, "this model's provider has no files of yours: give \"file_data\"");
    struct part *p = add_part(in, list, PART_DOCUMENT, cache);
    if (!p) return false;
    enum data_url kind = reading_data_url(in, json_raw(in->tape, at[0]), p);
    if (kind != URL_DATA || !slice_iequal(p->media_type, SLICE("application/pdf")))
        return reading_refuse(in, "this model's provider takes PDF alone, as \"data:application/pdf;base64,…\"");
    bool is_good = reading_string(in, at[1], "filename", &p->name);
    in->place.leaf = NULL;
    return is_good;
}

enum member { TYPE, TEXT, IMAGE_URL, FILE_OBJECT, REFUSAL, CACHE_CONTROL, BREAKPOINT, PART_MEMBERS };
static const struct slice part_names[PART_MEMBERS] = {
    [TYPE] = {"type", 4},       [TEXT] = {"text", 4},
    [IMAGE_URL] = {"image_url", 9}, [FILE_OBJECT] = {"file", 4},
    [REFUSAL] = {"refusal", 7}, [CACHE_CONTROL] = {"cache_control", 13},
    [BREAKPOINT] = {"prompt_cache_breakpoint", 23},
};

/* By its type, or where it has none by the one member that says it. */
static enum member kind_of(const struct reading *in, const uint32_t at[PART_MEMBERS])
{
    for (int m = TEXT; m <= REFUSAL; m++) {
        bool is = at[TYPE] == JSON_NONE ? at[m] != JSON_NONE : json_text_is(in->tape, at[TYPE], part_names[m]);
        if (is) return (enum member)m;
    }
    return PART_MEMBERS;
}

/* Either spelling of the mark, as Anthropic has it. */
static struct slice cache_of(const struct reading *in, uint32_t cache_control, uint32_t breakpoint)
{
    if (json_is(in->tape, cache_control, JSON_OBJECT)) return json_raw(in->tape, cache_control);
    return json_is(in->tape, breakpoint, JSON_OBJECT) ? SLICE("{\"type\":\"ephemeral\"}") : SLICE_NONE;
}

static bool refuse_part(const struct reading *in, uint32_t type)
{
    struct slice name = json_is(in->tape, type, JSON_STRING) ? json_text(in->tape, type, in->c->arena) : SLICE("");
    return reading_refuse(in, "parts of type \"%.*s\" cannot be translated for this model's provider",
                          name.len > 40 ? 40 : (int)name.len, name.ptr);
}

/* A text, or an object. */
static bool read_part(struct reading *in, uint32_t node, struct part_list *list)
{
    uint32_t at[PART_MEMBERS];
    struct slice raw;
    if (json_is(in->tape, node, JSON_STRING))
        return reading_add_text(in, list, PART_TEXT, json_raw(in->tape, node), SLICE_NONE);
    if (!json_is(in->tape, node, JSON_OBJECT)) return reading_refuse(in, "must be an object");
    if (!reading_members(in, node, part_names, PART_MEMBERS, at)) return false;
    struct slice cache = cache_of(in, at[CACHE_CONTROL], at[BREAKPOINT]);
    enum member kind = kind_of(in, at);
    for (int m = TEXT; m <= REFUSAL; m++) {
        if (at[m] != JSON_NONE && m != (int)kind && kind != PART_MEMBERS) reading_drop(in, part_names[m]);
    }
    if (kind == IMAGE_URL) return read_image(in, at[IMAGE_URL], list, cache);
    if (kind == FILE_OBJECT) return read_file(in, at[FILE_OBJECT], list, cache);
    if (kind == PART_MEMBERS) return refuse_part(in, at[TYPE]);
    return reading_string(in, at[kind], part_names[kind].ptr, &raw) &&
           reading_add_text(in, list, kind == REFUSAL ? PART_REFUSAL : PART_TEXT, raw, cache);
}

static bool read_content(struct reading *in, uint32_t content, struct part_list *list)
{
    bool is_good = true;
    if (content == JSON_NONE) return true;
    in->place.inner = "content";
    in->place.inner_number = PLACE_UNNUMBERED;
    if (json_is(in->tape, content, JSON_STRING))
        is_good = reading_add_text(in, list, PART_TEXT, json_raw(in->tape, content), SLICE_NONE);
    else if (!json_is(in->tape, content, JSON_ARRAY))
        return reading_refuse(in, "must be a string or an array of parts");
    else
        for (uint32_t n = json_first(in->tape, content); n != JSON_NONE && is_good; n = json_next(in->tape, n)) {
            in->place.inner_number++;
            is_good = read_part(in, n, list);
        }
    if (is_good) in->place.inner = NULL;
    return is_good;
}

/* --- what an assistant did --- */

static bool read_function(struct messages *m, uint32_t function, struct part *call)
{
    static const struct slice names[] = {{"name", 4}, {"arguments", 9}};
    uint32_t at[2];
    m->in->place.leaf = "function";
    if (!reading_members(m->in, function, names, 2, at)) return false;
    if (!json_is(m->in->tape, at[0], JSON_STRING)) return reading_refuse(m->in, "\"name\" must be a string");
    call->name = json_raw(m->in->tape, at[0]);
    bool is_good = reading_arguments(m->in, &m->arguments, at[1], &call->text);
    if (is_good) m->in->place.leaf = NULL;
    return is_good;
}

static bool read_call(struct messages *m, uint32_t node, struct part_list *list)
{
    static const struct slice names[] = {{"id", 2}, {"type", 4}, {"function", 8}, {"index", 5}};
    uint32_t at[4];
    const struct reading *in = m->in;
    bool is_function = json_is(in->tape, json_get(in->tape, node, SLICE("function")), JSON_OBJECT);
    bool is_custom = json_get(in->tape, node, SLICE("custom")) != JSON_NONE;
    if (!is_function || is_custom)
        return reading_refuse(in, "calls of functions alone can be translated for this model's provider");
    if (!reading_members(in, node, names, 4, at)) return false;
    if (!json_is(in->tape, at[0], JSON_STRING)) return reading_refuse(in, "\"id\" must be a string");
    struct part *call = reading_add_part(in, list, PART_CALL);
    if (!call) return false;
    call->id = json_raw(in->tape, at[0]);
    return read_function(m, at[2], call);
}

static bool read_calls(struct messages *m, uint32_t calls, struct part_list *list)
{
    struct reading *in = m->in;
    if (calls == JSON_NONE) return true;
    if (!json_is(in->tape, calls, JSON_ARRAY)) return reading_refuse(in, "\"tool_calls\" must be an array");
    in->place.inner = "tool_calls";
    in->place.inner_number = 0;
    for (uint32_t n = json_first(in->tape, calls); n != JSON_NONE; n = json_next(in->tape, n)) {
        if (!read_call(m, n, list)) return false;
        in->place.inner_number++;
    }
    in->place.inner = NULL;
    return true;
}

static bool add_reasoning(const struct reading *in, struct part_list *list, struct slice text, struct slice signature,
                          bool is_redacted)
{
    if (text.len <= 2 && signature.len <= 2) return true;
    struct part *p = reading_add_part(in, list, PART_REASONING);
    if (!p) return false;
    p->text = text.len ? text : SLICE("\"\"");
    p->signature = signature.len > 2 ? signature : SLICE_NONE;
    p->is_redacted = is_redacted;
    return true;
}

static struct slice string_of(const struct reading *in, uint32_t node)
{
    return json_is(in->tape, node, JSON_STRING) ? json_raw(in->tape, node) : SLICE_NONE;
}

/* Some clients say whose it is: no other's signature is good there. */
static bool is_foreign(const struct reading *in, uint32_t detail)
{
    struct slice format = reading_inside(string_of(in, json_get(in->tape, detail, SLICE("format"))));
    return format.len && !slice_starts(format, SLICE("anthropic"));
}

/* One thought: a stream's pieces of it, put together by its index, come back one by one. */
struct thought {
    struct buf text; /* inside of a JSON string */
    struct slice index, signature;
    bool is_begun;
};

static bool end_thought(const struct reading *in, struct thought *t, struct part_list *list)
{
    bool is_begun = t->is_begun;
    struct slice text = arena_printf(in->c->arena, "\"%.*s\"", SLICE_FMT(buf_slice(&t->text)));
    buf_reset(&t->text);
    t->is_begun = false;
    return !is_begun || add_reasoning(in, list, text, t->signature, false);
}

/* Behind its signature nothing more comes of a thought. */
static bool read_thought(const struct reading *in, uint32_t detail, struct thought *t, struct part_list *list)
{
    uint32_t index = json_get(in->tape, detail, SLICE("index"));
    struct slice text = string_of(in, json_get(in->tape, detail, SLICE("text"))), place = json_raw(in->tape, index);
    struct slice signature = string_of(in, json_get(in->tape, detail, SLICE("signature")));
    if (!text.len) text = string_of(in, json_get(in->tape, detail, SLICE("thinking")));
    if (!slice_equal(place, t->index) && !end_thought(in, t, list)) return false;
    t->index = place;
    t->signature = signature;
    t->is_begun = t->is_begun || text.len || signature.len;
    buf_append(&t->text, reading_inside(text));
    return signature.len <= 2 || end_thought(in, t, list);
}

static bool read_detail(const struct reading *in, uint32_t detail, struct thought *t, struct part_list *list)
{
    struct slice data = string_of(in, json_get(in->tape, detail, SLICE("data")));
    if (is_foreign(in, detail)) {
        reading_drop(in, SLICE("reasoning_details"));
        return true;
    }
    if (!data.len) return read_thought(in, detail, t, list);
    return end_thought(in, t, list) && add_reasoning(in, list, data, SLICE_NONE, true);
}

static bool read_details(const struct reading *in, uint32_t details, struct part_list *list)
{
    struct thought t = {.is_begun = false};
    bool is_good = true;
    buf_init(&t.text);
    for (uint32_t n = json_first(in->tape, details); n != JSON_NONE && is_good; n = json_next(in->tape, n))
        is_good = read_detail(in, n, &t, list);
    is_good = is_good && end_thought(in, &t, list);
    buf_clear(&t.text);
    return is_good;
}

/* --- a message --- */

enum {
    ROLE,
    CONTENT,
    NAME,
    MESSAGE_REFUSAL,
    TOOL_CALLS,
    TOOL_CALL_ID,
    FUNCTION_CALL,
    REASONING_CONTENT,
    REASONING_DETAILS,
    THINKING_BLOCKS,
    SIGNATURE,
    MESSAGE_CACHE,
    MESSAGE_MEMBERS
};
static const struct slice message_names[MESSAGE_MEMBERS] = {
    [ROLE] = {"role", 4},
    [CONTENT] = {"content", 7},
    [NAME] = {"name", 4},
    [MESSAGE_REFUSAL] = {"refusal", 7},
    [TOOL_CALLS] = {"tool_calls", 10},
    [TOOL_CALL_ID] = {"tool_call_id", 12},
    [FUNCTION_CALL] = {"function_call", 13},
    [REASONING_CONTENT] = {"reasoning_content", 17},
    [REASONING_DETAILS] = {"reasoning_details", 17},
    [THINKING_BLOCKS] = {"thinking_blocks", 15},
    [SIGNATURE] = {"signature", 9},
    [MESSAGE_CACHE] = {"cache_control", 13},
};

static bool read_reasoning(const struct reading *in, const uint32_t at[MESSAGE_MEMBERS], struct part_list *list)
{
    if (json_is(in->tape, at[REASONING_DETAILS], JSON_ARRAY)) return read_details(in, at[REASONING_DETAILS], list);
    if (json_is(in->tape, at[THINKING_BLOCKS], JSON_ARRAY)) return read_details(in, at[THINKING_BLOCKS], list);
    return add_reasoning(in, list, string_of(in, at[REASONING_CONTENT]), string_of(in, at[SIGNATURE]), false);
}

static bool read_assistant(struct messages *m, const uint32_t at[MESSAGE_MEMBERS], struct part_list *list)
{
    struct reading *in = m->in;
    struct slice refusal;
    if (at[FUNCTION_CALL] != JSON_NONE)
        return reading_refuse(in, "\"function_call\" cannot be translated for this model's provider: "
                                  "use \"tool_calls\"");
    return read_reasoning(in, at, list) && read_content(in, at[CONTENT], list) &&
           reading_string(in, at[MESSAGE_REFUSAL], "refusal", &refusal) &&
           reading_add_text(in, list, PART_REFUSAL, refusal, SLICE_NONE) && read_calls(m, at[TOOL_CALLS], list);
}

static bool read_result(struct messages *m, const uint32_t at[MESSAGE_MEMBERS], struct part_list *list)
{
    struct reading *in = m->in;
    if (!json_is(in->tape, at[TOOL_CALL_ID], JSON_STRING))
        return reading_refuse(in, "\"tool_call_id\" must be a string");
    struct part *result = reading_add_part(in, list, PART_RESULT);
    if (!result) return false;
    result->id = json_raw(in->tape, at[TOOL_CALL_ID]);
    return read_content(in, at[CONTENT], &result->parts);
}

static bool is_role(const struct reading *in, uint32_t role, struct slice name)
{
    return json_text_is(in->tape, role, name);
}

static bool read_message(struct messages *m, uint32_t node)
{
    struct reading *in = m->in;
    uint32_t at[MESSAGE_MEMBERS];
    if (!json_is(in->tape, node, JSON_OBJECT)) return reading_refuse(in, "must be an object");
    if (!reading_members(in, node, message_names, MESSAGE_MEMBERS, at)) return false;
    uint32_t role = at[ROLE];
    bool is_assistant = is_role(in, role, SLICE("assistant")), is_result = is_role(in, role, SLICE("tool"));
    bool is_system = is_role(in, role, SLICE("system")) || is_role(in, role, SLICE("developer"));
    if (!is_assistant && !is_result && !is_system && !is_role(in, role, SLICE("user")))
        return reading_refuse(in, "messages of this \"role\" cannot be translated for this model's provider");
    if (at[NAME] != JSON_NONE && !is_result) reading_drop(in, SLICE("name"));
    enum speaker speaker = is_assistant ? SPEAKER_ASSISTANT : is_system ? SPEAKER_SYSTEM : SPEAKER_USER;
    struct part_list *list = reading_list_for(in, speaker);
    if (!list) return false;
    struct part *before = list->last;
    bool is_good = is_assistant ? read_assistant(m, at, list)
                   : is_result  ? read_result(m, at, list)
                                : read_content(in, at[CONTENT], list);
    if (!is_good || !reading_fits(in, speaker, list, before)) return false;
    struct slice cache = cache_of(in, at[MESSAGE_CACHE], JSON_NONE);
    if (cache.len && list->last != before && !list->last->cache.len) list->last->cache = cache;
    return true;
}

bool openai_read_conversation(struct reading *in, uint32_t list)
{
    struct messages m = {.in = in};
    bool is_good = true;
    if (!json_is(in->tape, list, JSON_ARRAY)) return reading_refuse(in, "\"messages\" must be an array");
    json_init(&m.arguments);
    in->place = (struct place){.list = "messages", .is_message = true};
    for (uint32_t n = json_first(in->tape, list); n != JSON_NONE && is_good; n = json_next(in->tape, n)) {
        is_good = read_message(&m, n);
        in->place.number += is_good;
    }
    json_clear(&m.arguments);
    in->place = (struct place){.list = NULL};
    return is_good;
}
