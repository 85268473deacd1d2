#include "wire/filled/filled_inner.h"

void filled_append_member(const struct json_tape *tape, uint32_t object, const char *name, const char *as,
                          struct buf *out)
{
    uint32_t node = json_get(tape, object, slice_str(name));
    if (node == JSON_NONE || json_is(tape, node, JSON_NULL)) return;
    buf_printf(out, ",\"%s\":", as);
    buf_append(out, json_raw(tape, node));
}

bool filled_append_functions(const struct json_tape *tape, filled_function_fn each, struct buf *out)
{
    buf_append_char(out, '[');
    for (uint32_t n = json_first(tape, 0); n != JSON_NONE; n = json_next(tape, n)) {
        uint32_t function = json_is(tape, n, JSON_OBJECT) ? json_get(tape, n, SLICE("function")) : JSON_NONE;
        if (!json_is(tape, function, JSON_OBJECT)) return false;
        if (!json_is(tape, json_get(tape, function, SLICE("name")), JSON_STRING)) return false;
        if (n != json_first(tape, 0)) buf_append_char(out, ',');
        each(tape, function, out);
    }
    buf_append_char(out, ']');
    return true;
}

uint32_t filled_schema(const struct json_tape *tape, bool *is_json)
{
    uint32_t type = json_get(tape, 0, SLICE("type")), schema = json_get(tape, 0, SLICE("json_schema"));
    *is_json = json_text_is(tape, type, SLICE("json_object"));
    if (!json_text_is(tape, type, SLICE("json_schema")) || !json_is(tape, schema, JSON_OBJECT)) return JSON_NONE;
    return json_get(tape, schema, SLICE("schema"));
}

/* ---- Pictures, files, sound: the caller's value, and the member of it that says where it is. */

struct media {
    const struct template_part *part;
    struct json_tape tape;
    struct slice where;      /* a URL or data URL as it stands, quotes included; empty: none */
    struct slice mime, data; /* of a data URL in base64: inside of quotes; empty: it is none */
};

static struct slice member(const struct media *m, const char *name)
{
    uint32_t node = json_is(&m->tape, 0, JSON_OBJECT) ? json_get(&m->tape, 0, slice_str(name)) : JSON_NONE;
    return json_is(&m->tape, node, JSON_STRING) ? json_raw(&m->tape, node) : SLICE_NONE;
}

/* data:image/png;base64,… : its letters need no escapes. */
static void split_data(struct media *m)
{
    struct slice inner = slice_of(m->where.ptr + 1, m->where.len - 2), rest;
    if (m->where.len < 2 || !slice_starts(inner, SLICE("data:"))) return;
    struct slice head = slice_split(slice_of(inner.ptr + 5, inner.len - 5), ',', &rest), mime;
    struct slice coding;
    mime = slice_split(head, ';', &coding);
    if (!slice_equal(coding, SLICE("base64")) || memchr(mime.ptr, '\\', mime.len)) return;
    m->mime = mime;
    m->data = rest;
}

static void see(struct media *m, const struct template_part *part)
{
    struct fault why;
    m->part = part;
    json_init(&m->tape);
    m->where = m->mime = m->data = SLICE_NONE;
    if (!json_parse(&m->tape, part->value, &why)) return;
    if (json_is(&m->tape, 0, JSON_STRING)) m->where = part->value;
    if (!m->where.len) m->where = member(m, part->type == TEMPLATE_IMAGE ? "image_url" : "file_url");
    if (!m->where.len && part->type == TEMPLATE_FILE) m->where = member(m, "file_data");
    split_data(m);
}

static void append_pair(struct buf *out, const char *name, struct slice raw)
{
    if (!raw.len) return;
    char last = buf_ptr(out)[buf_len(out) - 1];
    buf_printf(out, "%s\"%s\":", last == '{' ? "" : ",", name);
    buf_append(out, raw);
}

static bool append_for_responses(const struct media *m, struct buf *out)
{
    static const char *const types[] = {[TEMPLATE_IMAGE] = "input_image", [TEMPLATE_FILE] = "input_file"};
    if (json_is(&m->tape, 0, JSON_OBJECT)) {
        buf_append(out, m->part->value);
        return true;
    }
    if (m->part->type == TEMPLATE_AUDIO) return false;
    buf_printf(out, "{\"type\":\"%s\"", types[m->part->type]);
    append_pair(out, m->part->type == TEMPLATE_IMAGE ? "image_url" : m->data.len ? "file_data" : "file_url", m->where);
    if (m->part->type == TEMPLATE_FILE && m->data.len) append_pair(out, "filename", SLICE("\"file\""));
    buf_append_char(out, '}');
    return true;
}

static bool append_for_chat(const struct media *m, struct buf *out)
{
    uint32_t audio = json_is(&m->tape, 0, JSON_OBJECT) ? json_get(&m->tape, 0, SLICE("input_audio")) : JSON_NONE;
    struct slice id = member(m, "file_id");
    if (m->part->type == TEMPLATE_AUDIO) {
        if (audio == JSON_NONE) return false;
        buf_append(out, SLICE("{\"type\":\"input_audio\",\"input_audio\":"));
        buf_append(out, json_raw(&m->tape, audio));
    } else if (m->part->type == TEMPLATE_IMAGE) {
        if (!m->where.len) return false;
        buf_append(out, SLICE("{\"type\":\"image_url\",\"image_url\":{"));
        append_pair(out, "url", m->where);
        append_pair(out, "detail", member(m, "detail"));
        buf_append_char(out, '}');
    } else {
        if (!id.len && !m->data.len) return false;
        buf_append(out, SLICE("{\"type\":\"file\",\"file\":{"));
        append_pair(out, "file_id", id);
        append_pair(out, "file_data", m->data.len ? m->where : SLICE_NONE);
        append_pair(out, "filename", member(m, "filename"));
        buf_append_char(out, '}');
    }
    buf_append_char(out, '}');
    return true;
}

static bool append_for_messages(const struct media *m, struct buf *out)
{
    if (m->part->type == TEMPLATE_AUDIO || !m->where.len) return false;
    buf_printf(out, "{\"type\":\"%s\",\"source\":{", m->part->type == TEMPLATE_IMAGE ? "image" : "document");
    if (m->data.len) {
        buf_append(out, SLICE("\"type\":\"base64\",\"media_type\":\""));
        buf_append(out, m->mime);
        buf_append(out, SLICE("\",\"data\":\""));
        buf_append(out, m->data);
        buf_append_char(out, '"');
    } else {
        buf_append(out, SLICE("\"type\":\"url\",\"url\":"));
        buf_append(out, m->where);
    }
    buf_append(out, SLICE("}}"));
    return true;
}

static bool append_for_gemini(const struct media *m, struct buf *out)
{
    if (!m->where.len) return false;
    if (m->data.len) {
        buf_append(out, SLICE("{\"inlineData\":{\"mimeType\":\""));
        buf_append(out, m->mime);
        buf_append(out, SLICE("\",\"data\":\""));
        buf_append(out, m->data);
        buf_append(out, SLICE("\"}}"));
        return true;
    }
    buf_append(out, SLICE("{\"fileData\":{\"fileUri\":"));
    buf_append(out, m->where);
    buf_append(out, SLICE("}}"));
    return true;
}

static bool append(const struct filling *w, const struct media *m, struct buf *out)
{
    if (w->d == &filled_chat) return append_for_chat(m, out);
    if (w->d == &filled_responses) return append_for_responses(m, out);
    if (w->d == &filled_messages) return append_for_messages(m, out);
    return append_for_gemini(m, out);
}

bool filled_append_media(struct filling *w, const struct template_part *part, struct buf *out)
{
    struct media m;
    see(&m, part);
    bool is_good = append(w, &m, out);
    json_clear(&m.tape);
    return is_good || filled_refuse(w->f, FAULT_PROMPT_UNCARRIED, "prompt.variables",
                                    "a value of type %s cannot be said so in this API: hand in a data URL",
                                    template_type_name(part->type));
}
