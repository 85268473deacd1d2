/* Where a request's texts and pictures are. Sources: OpenAI API reference, chat, completions and embeddings. */
#include <string.h>

#include "base/mem.h"
#include "wire/count_inside.h"

void found_clear(struct found *found)
{
    mem_free(found->texts);
    mem_free(found->pictures);
    buf_clear(&found->tools);
    buf_clear(&found->schema);
    *found = (struct found){0};
}

void found_add_text(struct found *found, uint32_t node, uint32_t message, enum text_part part)
{
    if (found->text_count == found->text_cap) {
        found->text_cap = found->text_cap ? found->text_cap * 2 : 16;
        found->texts = mem_realloc(found->texts, found->text_cap * sizeof *found->texts);
    }
    found->texts[found->text_count++] = (struct text){node, message, part};
}

void found_add_picture(struct found *found, const struct picture *picture)
{
    if (found->picture_count == found->picture_cap) {
        found->picture_cap = found->picture_cap ? found->picture_cap * 2 : 4;
        found->pictures = mem_realloc(found->pictures, found->picture_cap * sizeof *found->pictures);
    }
    found->pictures[found->picture_count++] = *picture;
}

struct walk {
    const struct json_tape *tape;
    struct found *found;
    uint32_t message; /* its number */
};

static void add_string(struct walk *w, uint32_t node, enum text_part part)
{
    if (json_is(w->tape, node, JSON_STRING)) found_add_text(w->found, node, w->message, part);
}

static uint32_t member(struct walk *w, uint32_t object, struct slice name)
{
    return json_get(w->tape, object, name);
}

/* "image_url": "data:…", or {"url", "detail"} */
static void add_picture(struct walk *w, uint32_t image)
{
    struct picture picture = {.message = w->message};
    uint32_t url = json_is(w->tape, image, JSON_STRING) ? image : member(w, image, SLICE("url"));
    picture.is_low = json_text_is(w->tape, member(w, image, SLICE("detail")), SLICE("low"));
    if (json_is(w->tape, url, JSON_STRING)) {
        struct slice raw = json_raw(w->tape, url);
        if (!count_picture_size(slice_of(raw.ptr + 1, raw.len - 2), &picture.width, &picture.height)) picture.width = 0;
    }
    found_add_picture(w->found, &picture);
}

/* Bytes of base64 in a string, about. */
static uint64_t decoded_bytes(const struct json_tape *tape, uint32_t string)
{
    return json_is(tape, string, JSON_STRING) ? (json_raw(tape, string).len - 2) / 4 * 3 : 0;
}

static void add_part(struct walk *w, uint32_t part)
{
    uint32_t image = member(w, part, SLICE("image_url"));
    if (json_is(w->tape, part, JSON_STRING)) {
        add_string(w, part, TEXT_CONTENT);
        return;
    }
    add_string(w, member(w, part, SLICE("text")), TEXT_CONTENT);
    add_string(w, member(w, part, SLICE("refusal")), TEXT_CONTENT);
    if (image != JSON_NONE && !json_is(w->tape, image, JSON_NULL)) add_picture(w, image);
    w->found->audio_bytes += decoded_bytes(w->tape, member(w, member(w, part, SLICE("input_audio")), SLICE("data")));
    w->found->file_bytes += decoded_bytes(w->tape, member(w, member(w, part, SLICE("file")), SLICE("file_data")));
}

static void add_content(struct walk *w, uint32_t content)
{
    add_string(w, content, TEXT_CONTENT);
    if (!json_is(w->tape, content, JSON_ARRAY)) return;
    for (uint32_t part = json_first(w->tape, content); part != JSON_NONE; part = json_next(w->tape, part))
        add_part(w, part);
}

/* A call's function, also a custom one; JSON_NONE: it has none. */
static uint32_t function_of(const struct json_tape *tape, uint32_t call)
{
    uint32_t custom = json_get(tape, call, SLICE("custom"));
    uint32_t function = custom != JSON_NONE ? custom : json_get(tape, call, SLICE("function"));
    return json_is(tape, function, JSON_OBJECT) ? function : JSON_NONE;
}

static void add_call(struct walk *w, uint32_t call)
{
    if (!json_is(w->tape, call, JSON_OBJECT)) return;
    w->found->calls++;
    add_string(w, member(w, call, SLICE("name")), TEXT_CONTENT);
    add_string(w, member(w, call, SLICE("arguments")), TEXT_CONTENT);
    add_string(w, member(w, call, SLICE("input")), TEXT_CONTENT);
}

static void add_calls(struct walk *w, uint32_t calls)
{
    if (!json_is(w->tape, calls, JSON_ARRAY)) return;
    for (uint32_t call = json_first(w->tape, calls); call != JSON_NONE; call = json_next(w->tape, call))
        add_call(w, function_of(w->tape, call));
}

static void add_name(struct walk *w, uint32_t name, uint32_t role)
{
    if (!json_is(w->tape, name, JSON_STRING)) return;
    struct slice raw = json_raw(w->tape, name);
    bool is_role = json_is(w->tape, role, JSON_STRING) && slice_equal(raw, json_raw(w->tape, role));
    add_string(w, name, is_role ? TEXT_ROLE_NAME : TEXT_NAME);
    if (is_role)
        w->found->role_names++;
    else
        w->found->names++;
}

static void add_message(struct walk *w, uint32_t message)
{
    uint32_t role = member(w, message, SLICE("role"));
    w->found->messages++;
    if (json_text_is(w->tape, role, SLICE("system")) || json_text_is(w->tape, role, SLICE("developer")))
        w->found->has_system = true;
    add_string(w, role, TEXT_ROLE);
    add_name(w, member(w, message, SLICE("name")), role);
    add_content(w, member(w, message, SLICE("content")));
    add_string(w, member(w, message, SLICE("refusal")), TEXT_CONTENT);
    add_string(w, member(w, message, SLICE("reasoning_content")), TEXT_CONTENT);
    add_call(w, member(w, message, SLICE("function_call")));
    add_calls(w, member(w, message, SLICE("tool_calls")));
    if (json_is(w->tape, member(w, message, SLICE("audio")), JSON_OBJECT)) w->found->has_unknown = true;
}

static void add_messages(struct walk *w, uint32_t messages)
{
    if (!json_is(w->tape, messages, JSON_ARRAY)) return;
    for (uint32_t n = json_first(w->tape, messages); n != JSON_NONE; n = json_next(w->tape, n), w->message++)
        add_message(w, n);
}

/* prompt and input: a text, texts, token ids, or lists of token ids. */
static void add_input(struct walk *w, uint32_t input)
{
    if (input == JSON_NONE) return;
    for (uint32_t n = input; n < json_after(w->tape, input); n++) {
        add_string(w, n, TEXT_CONTENT);
        w->found->ids += json_is(w->tape, n, JSON_NUMBER);
    }
}

static void add_format(struct walk *w, uint32_t format)
{
    uint32_t schema = member(w, format, SLICE("json_schema"));
    if (!json_is(w->tape, schema, JSON_OBJECT)) return;
    w->found->has_schema = true;
    buf_append(&w->found->schema, json_raw(w->tape, schema));
    found_add_text(w->found, JSON_NONE, COUNT_NO_MESSAGE, TEXT_SCHEMA);
}

void count_find(const struct chat_request *r, struct found *found)
{
    struct walk w = {.tape = &r->tape, .found = found};
    found->has_unknown = r->uses & (CHAT_USES_HOSTED_TOOLS | CHAT_USES_REMOTE_MCP | CHAT_USES_FILES | CHAT_USES_AUDIO);
    if (r->kind != CHAT_CHAT) {
        add_input(&w, r->messages_node);
        w.message = COUNT_NO_MESSAGE;
        add_string(&w, json_get(&r->tape, 0, SLICE("suffix")), TEXT_CONTENT);
        return;
    }
    add_messages(&w, r->messages_node);
    w.message = COUNT_NO_MESSAGE;
    if (r->tool_count && count_render_tools(&r->tape, r->tools_node, json_get(&r->tape, 0, SLICE("functions")), found))
        found_add_text(found, JSON_NONE, COUNT_NO_MESSAGE, TEXT_TOOLS);
    add_format(&w, json_get(&r->tape, 0, SLICE("response_format")));
}

/* ---- Of one message. */

static uint32_t calls_of(const struct json_tape *tape, uint32_t message)
{
    uint32_t count = json_is(tape, json_get(tape, message, SLICE("function_call")), JSON_OBJECT);
    uint32_t calls = json_get(tape, message, SLICE("tool_calls"));
    if (!json_is(tape, calls, JSON_ARRAY)) return count;
    for (uint32_t call = json_first(tape, calls); call != JSON_NONE; call = json_next(tape, call))
        count += function_of(tape, call) != JSON_NONE;
    return count;
}

static bool has_unknown(const struct json_tape *tape, uint32_t message)
{
    uint32_t content = json_get(tape, message, SLICE("content"));
    if (json_is(tape, json_get(tape, message, SLICE("audio")), JSON_OBJECT)) return true;
    if (!json_is(tape, content, JSON_ARRAY)) return false;
    for (uint32_t part = json_first(tape, content); part != JSON_NONE; part = json_next(tape, part)) {
        bool is_known = json_is(tape, part, JSON_STRING) || json_get(tape, part, SLICE("text")) != JSON_NONE ||
                        json_get(tape, part, SLICE("refusal")) != JSON_NONE ||
                        json_get(tape, part, SLICE("image_url")) != JSON_NONE;
        if (!is_known) return true;
    }
    return false;
}

void count_find_shares(const struct chat_request *r, struct share *shares)
{
    if (r->kind != CHAT_CHAT || !json_is(&r->tape, r->messages_node, JSON_ARRAY)) return;
    for (uint32_t n = json_first(&r->tape, r->messages_node); n != JSON_NONE; n = json_next(&r->tape, n), shares++) {
        shares->calls = calls_of(&r->tape, n);
        shares->has_unknown = has_unknown(&r->tape, n);
    }
}
