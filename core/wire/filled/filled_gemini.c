/* Gemini: contents of parts, system texts apart. Source: Google, Gemini API reference, "generateContent". */
#include "wire/filled/filled_inner.h"

static bool append_content(struct filling *w, uint32_t message, struct buf *out)
{
    const struct template *t = &w->f->prompt->template;
    struct template_part part;
    struct buf text;
    uint32_t at = 0;
    bool is_good = true, is_model = template_role(t, message) == TEMPLATE_ASSISTANT;
    const char *comma = "";
    buf_init(&text);
    buf_printf(out, "{\"role\":\"%s\",\"parts\":[", is_model ? "model" : "user");
    while (is_good && template_write_part(t, message, w->values, &at, &text, &part)) {
        buf_append(out, slice_str(comma));
        comma = ",";
        if (part.is_text) {
            buf_append(out, SLICE("{\"text\":\""));
            buf_append(out, buf_slice(&text));
            buf_append(out, SLICE("\"}"));
        } else {
            is_good = filled_append_media(w, &part, out);
        }
        buf_reset(&text);
    }
    if (!*comma) buf_append(out, SLICE("{\"text\":\"\"}"));
    buf_append(out, SLICE("]}"));
    buf_clear(&text);
    return is_good;
}

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

static bool write_system(struct filling *w)
{
    const struct json_tape *tape = w->f->tape;
    uint32_t system = filled_system(w->f, w->d), parts;
    if (!filled_has_apart(w)) return true;
    if (system == JSON_NONE) {
        splice_append(&w->edits, 0, SLICE("systemInstruction"), apart(w, "{\"parts\":[{\"text\":\"", "\"}]}"));
        return true;
    }
    parts = json_is(tape, system, JSON_OBJECT) ? json_get(tape, system, SLICE("parts")) : JSON_NONE;
    if (!json_is(tape, parts, JSON_ARRAY))
        return filled_refuse(w->f, FAULT_BAD_BODY, "systemInstruction",
                             "\"systemInstruction\" must have a list of parts");
    size_t first = (size_t)(json_raw(tape, parts).ptr - w->f->body.ptr) + 1;
    splice_bytes(&w->edits, first, first, apart(w, "{\"text\":\"", json_count(tape, parts) ? "\"}," : "\"}"));
    return true;
}

static bool write_messages(struct filling *w)
{
    return write_system(w) && filled_place_messages(w, append_content, SLICE_NONE);
}

static void append_function(const struct json_tape *tape, uint32_t function, struct buf *out)
{
    buf_append(out, SLICE("{\"functionDeclarations\":[{\"name\":"));
    buf_append(out, json_raw(tape, json_get(tape, function, SLICE("name"))));
    filled_append_member(tape, function, "description", "description", out);
    filled_append_member(tape, function, "parameters", "parametersJsonSchema", out);
    buf_append(out, SLICE("}]}"));
}

static bool write_tools(struct filling *w, const struct json_tape *tape, struct buf *out)
{
    (void)w;
    return filled_append_functions(tape, append_function, out);
}

/* Its schema alone: that JSON is wanted is another member. */
static bool write_format(struct filling *w, const struct json_tape *tape, struct buf *out)
{
    (void)w;
    (void)tape;
    (void)out;
    return false;
}

static const struct filled_place places[] = {
    {"temperature", "generationConfig", "temperature"},
    {"top_p", "generationConfig", "topP"},
    {"max_tokens", "generationConfig", "maxOutputTokens"},
    {"stop", "generationConfig", "stopSequences"},
    {"seed", "generationConfig", "seed"},
    {"presence_penalty", "generationConfig", "presencePenalty"},
    {"frequency_penalty", "generationConfig", "frequencyPenalty"},
    {"tools", NULL, "tools"},
    {"response_format", "generationConfig", "responseFormat"},
    {0},
};

const struct filled_dialect filled_gemini = {
    .places = places,
    .list = "contents",
    .system = "systemInstruction",
    .system_other = "system_instruction",
    .content = "parts",
    .assistant = "model",
    .write_messages = write_messages,
    .write_tools = write_tools,
    .write_format = write_format,
};
