/* Messages: system texts stand apart. Source: Anthropic API reference, "Messages". */
#include "wire/filled/filled_inner.h"

static struct slice apart(struct filling *w, const char *front, const char *back)
{
    struct buf text;
    buf_init(&text);
    buf_append(&text, slice_str(front));
    filled_append_apart(w, &text);
    buf_append(&text, slice_str(back));
    struct slice json = arena_copy(w->f->arena, buf_slice(&text));
    buf_clear(&text);
    return json;
}

#define BLOCK "{\"type\":\"text\",\"text\":"

/* Before the caller's own, where the version lets him have some: a text, or a list of blocks. */
static bool write_system(struct filling *w)
{
    const struct json_tape *tape = w->f->tape;
    uint32_t node = json_get(tape, 0, SLICE("system"));
    if (!filled_has_apart(w)) return true;
    if (node == JSON_NONE) {
        splice_append(&w->edits, 0, SLICE("system"), apart(w, "\"", "\""));
    } else if (json_is(tape, node, JSON_NULL)) {
        splice_value(&w->edits, node, apart(w, "\"", "\""));
    } else if (json_is(tape, node, JSON_STRING)) {
        struct slice own = json_raw(tape, node), before = apart(w, BLOCK "\"", "\"}");
        splice_value(&w->edits, node,
                     arena_printf(w->f->arena, "[%.*s," BLOCK "%.*s}]", SLICE_FMT(before), SLICE_FMT(own)));
    } else if (json_is(tape, node, JSON_ARRAY)) {
        size_t first = (size_t)(json_raw(tape, node).ptr - w->f->body.ptr) + 1;
        splice_bytes(&w->edits, first, first, apart(w, BLOCK "\"", json_count(tape, node) ? "\"}," : "\"}"));
    } else {
        return filled_refuse(w->f, FAULT_BAD_BODY, "system", "\"system\" must be a text or a list of blocks");
    }
    return true;
}

static bool write_messages(struct filling *w)
{
    return write_system(w) && filled_place_messages(w, filled_append_message, SLICE_NONE);
}

static void append_function(const struct json_tape *tape, uint32_t function, struct buf *out)
{
    buf_append(out, SLICE("{\"type\":\"custom\""));
    filled_append_member(tape, function, "name", "name", out);
    filled_append_member(tape, function, "description", "description", out);
    filled_append_member(tape, function, "parameters", "input_schema", out);
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
    uint32_t schema = filled_schema(tape, &is_json);
    (void)w;
    if (schema == JSON_NONE) return false;
    buf_append(out, SLICE("{\"type\":\"json_schema\",\"schema\":"));
    buf_append(out, json_raw(tape, schema));
    buf_append_char(out, '}');
    return true;
}

static const struct filled_place places[] = {
    {"temperature", NULL, "temperature"}, {"top_p", NULL, "top_p"},
    {"max_tokens", NULL, "max_tokens"},   {"stop", NULL, "stop_sequences"},
    {"tools", NULL, "tools"},             {"response_format", "output_config", "format"},
    {"service_tier", NULL, "service_tier"}, {0},
};

const struct filled_dialect filled_messages = {
    .places = places,
    .list = "messages",
    .system = "system",
    .content = "content",
    .assistant = "assistant",
    .write_messages = write_messages,
    .write_tools = write_tools,
    .write_format = write_format,
};
