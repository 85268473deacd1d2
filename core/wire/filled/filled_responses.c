/* Responses: the first system text becomes the instructions, all else items. Source: OpenAI API reference. */
#include "wire/filled/filled_inner.h"

static struct slice joined(struct filling *w, struct slice own)
{
    struct buf text;
    buf_init(&text);
    buf_append_char(&text, '"');
    filled_append_apart(w, &text);
    if (own.len) buf_append(&text, SLICE("\\n\\n"));
    buf_append(&text, own);
    buf_append_char(&text, '"');
    struct slice json = arena_copy(w->f->arena, buf_slice(&text));
    buf_clear(&text);
    return json;
}

/* Before the caller's own, where the version lets him have some. */
static bool write_instructions(struct filling *w)
{
    uint32_t node = json_get(w->f->tape, 0, SLICE("instructions"));
    if (!filled_has_apart(w)) return true;
    if (node == JSON_NONE) {
        splice_append(&w->edits, 0, SLICE("instructions"), joined(w, SLICE_NONE));
    } else if (json_is(w->f->tape, node, JSON_STRING)) {
        struct slice raw = json_raw(w->f->tape, node);
        splice_value(&w->edits, node, joined(w, slice_of(raw.ptr + 1, raw.len - 2)));
    } else if (json_is(w->f->tape, node, JSON_NULL)) {
        splice_value(&w->edits, node, joined(w, SLICE_NONE));
    } else {
        return filled_refuse(w->f, FAULT_BAD_BODY, "instructions", "\"instructions\" must be a text");
    }
    return true;
}

static bool write_messages(struct filling *w)
{
    uint32_t input = filled_list(w->f, w->d);
    struct slice given = SLICE_NONE;
    if (json_is(w->f->tape, input, JSON_STRING))
        given = arena_printf(w->f->arena, "{\"role\":\"user\",\"content\":%.*s}",
                             SLICE_FMT(json_raw(w->f->tape, input)));
    else if (input != JSON_NONE && !json_is(w->f->tape, input, JSON_ARRAY))
        return filled_refuse(w->f, FAULT_BAD_BODY, "input", "\"input\" must be a text or a list of items");
    return write_instructions(w) && filled_place_messages(w, filled_append_message, given);
}

static void append_function(const struct json_tape *tape, uint32_t function, struct buf *out)
{
    buf_append(out, SLICE("{\"type\":\"function\""));
    filled_append_member(tape, function, "name", "name", out);
    filled_append_member(tape, function, "description", "description", out);
    filled_append_member(tape, function, "parameters", "parameters", out);
    filled_append_member(tape, function, "strict", "strict", out);
    buf_append_char(out, '}');
}

static bool write_tools(struct filling *w, const struct json_tape *tape, struct buf *out)
{
    (void)w;
    return filled_append_functions(tape, append_function, out);
}

static bool write_format(struct filling *w, const struct json_tape *tape, struct buf *out)
{
    bool is_json;
    uint32_t schema = json_get(tape, 0, SLICE("json_schema"));
    (void)w;
    if (filled_schema(tape, &is_json) == JSON_NONE) {
        buf_append(out, json_raw(tape, 0)); /* {"type":"text"}, {"type":"json_object"}: the same words */
        return true;
    }
    buf_append(out, SLICE("{\"type\":\"json_schema\""));
    filled_append_member(tape, schema, "name", "name", out);
    filled_append_member(tape, schema, "description", "description", out);
    filled_append_member(tape, schema, "schema", "schema", out);
    filled_append_member(tape, schema, "strict", "strict", out);
    buf_append_char(out, '}');
    return true;
}

static const struct filled_place places[] = {
    {"temperature", NULL, "temperature"},
    {"top_p", NULL, "top_p"},
    {"max_tokens", NULL, "max_output_tokens"},
    {"reasoning_effort", "reasoning", "effort"},
    {"verbosity", "text", "verbosity"},
    {"response_format", "text", "format"},
    {"tools", NULL, "tools"},
    {"parallel_tool_calls", NULL, "parallel_tool_calls"},
    {"service_tier", NULL, "service_tier"},
    {"top_logprobs", NULL, "top_logprobs"},
    {0},
};

const struct filled_dialect filled_responses = {
    .takes_members = true,
    .places = places,
    .list = "input",
    .system = "instructions",
    .content = "content",
    .assistant = "assistant",
    .write_messages = write_messages,
    .write_tools = write_tools,
    .write_format = write_format,
};
