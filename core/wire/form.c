#include "wire/form.h"

#include <string.h>

#include "base/utf8.h"
#include "wire/charset.h"
#include "wire/json.h"
#include "wire/multipart.h"

struct form {
    struct multipart parts;
    struct slice boundary;
    struct slice *members; /* each part's member as it was read, name and value */
};

/* ---- Reading. */

static bool is_word(struct slice text, struct slice a, struct slice b)
{
    return slice_iequal(text, a) || slice_equal(text, b);
}

static bool is_number(struct slice text)
{
    struct json_tape tape;
    struct fault why;
    json_init(&tape);
    bool is = text.len && json_parse(&tape, text, &why) && json_is(&tape, 0, JSON_NUMBER);
    is = is && json_raw(&tape, 0).len == text.len; /* no blanks around it */
    json_clear(&tape);
    return is;
}

/* As who serves the API reads its forms: what is neither stays a text, and is refused as that. */
static bool append_typed(struct buf *json, struct slice name, struct slice text)
{
    static const struct slice numbers[] = {{"n", 1}, {"temperature", 11}};
    bool is_true = is_word(text, SLICE("true"), SLICE("1")), is_false = is_word(text, SLICE("false"), SLICE("0"));
    if (slice_equal(name, SLICE("stream")) && (is_true || is_false)) {
        buf_append(json, is_true ? SLICE("true") : SLICE("false"));
        return true;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (!slice_equal(name, numbers[i]) || text.len > 32 || !is_number(text)) continue;
        buf_append(json, text);
        return true;
    }
    return false;
}

static void append_file(struct buf *json, const struct multipart_part *part, struct slice bytes, enum chat_kind kind)
{
    buf_append(json, SLICE("{\"filename\":"));
    buf_append_json(json, part->filename);
    buf_printf(json, ",\"bytes\":%zu", part->to - part->value);
    if (kind == CHAT_FILES && utf8_is_valid(bytes)) {
        buf_append(json, SLICE(",\"text\":"));
        buf_append_json(json, bytes);
    }
    buf_append_char(json, '}');
}

static bool append_member(struct buf *json, const struct multipart_part *part, struct slice body, enum chat_kind kind,
                          struct fault *why)
{
    struct slice text = multipart_value(part, body);
    buf_append_json(json, part->name);
    buf_append_char(json, ':');
    if (part->is_file) {
        append_file(json, part, text, kind);
        return true;
    }
    if (!utf8_is_valid(text))
        return fault_set(why, FAULT_BAD_BODY, "\"%.*s\" of the form is no UTF-8; a file has a filename",
                         SLICE_FMT(part->name));
    if (!append_typed(json, part->name, text)) buf_append_json(json, text);
    return true;
}

static void attach(struct chat_attached *attached, enum chat_kind kind, const struct multipart_part *part,
                   struct slice bytes)
{
    bool is_sound = kind == CHAT_TRANSCRIPTIONS || kind == CHAT_TRANSLATIONS;
    if (kind == CHAT_FILES && part->is_file && charset_is_foreign(bytes, part->type)) attached->has_foreign_text = true;
    if (kind == CHAT_FILES) return;
    if (part->is_file && is_sound) attached->audio_bytes += part->to - part->value;
    if (part->is_file && !is_sound) attached->pictures++;
}

static bool append_members(struct form *form, struct slice body, enum chat_kind kind, struct arena *arena,
                           struct buf *json, struct chat_attached *attached, struct fault *why)
{
    form->members = arena_alloc(arena, form->parts.count * sizeof *form->members);
    buf_append_char(json, '{');
    for (size_t i = 0; i < form->parts.count; i++) {
        const struct multipart_part *part = &form->parts.parts[i];
        if (i) buf_append_char(json, ',');
        size_t from = buf_len(json);
        if (!append_member(json, part, body, kind, why)) return false;
        form->members[i] = arena_copy(arena, slice_of(buf_ptr(json) + from, buf_len(json) - from));
        attach(attached, kind, part, multipart_value(part, body));
    }
    buf_append_char(json, '}');
    return true;
}

struct form *form_read(struct slice content_type, struct slice body, enum chat_kind kind, struct arena *arena,
                       struct buf *json, struct chat_attached *attached, struct fault *why)
{
    struct form *form = arena_zalloc(arena, sizeof *form);
    *attached = (struct chat_attached){0};
    bool is_read = multipart_boundary(content_type, arena, &form->boundary, why) &&
                   multipart_parse(&form->parts, body, form->boundary, arena, why) &&
                   append_members(form, body, kind, arena, json, attached, why);
    return is_read ? form : NULL;
}

struct slice form_file_text(const struct form *form, struct slice body, struct slice name)
{
    for (size_t i = 0; i < form->parts.count; i++) {
        const struct multipart_part *part = &form->parts.parts[i];
        struct slice bytes = multipart_value(part, body);
        if (part->is_file && slice_equal(part->name, name)) return utf8_is_valid(bytes) ? bytes : SLICE_NONE;
    }
    return SLICE_NONE;
}

/* ---- Writing. */

struct writing {
    const struct form *form;
    struct slice body;
    struct json_tape tape; /* of the edited object */
    struct arena *arena;
    struct slice delimiter; /* "--boundary" */
    struct slice *pieces;
    size_t count, cap;
    struct fault *why;
};

static void add(struct writing *w, struct slice bytes)
{
    struct slice *last = w->count ? &w->pieces[w->count - 1] : NULL;
    if (!bytes.len) return;
    if (last && last->ptr + last->len == bytes.ptr) {
        last->len += bytes.len;
        return;
    }
    if (w->count == w->cap) {
        size_t cap = w->cap ? w->cap * 2 : 8;
        struct slice *larger = arena_alloc(w->arena, cap * sizeof *larger);
        if (w->count) memcpy(larger, w->pieces, w->count * sizeof *larger);
        w->pieces = larger;
        w->cap = cap;
    }
    w->pieces[w->count++] = bytes;
}

/* A string's text, else what it is in JSON. */
static struct slice text_of(struct writing *w, uint32_t node)
{
    if (!json_is(&w->tape, node, JSON_STRING)) return arena_copy(w->arena, json_raw(&w->tape, node));
    return arena_copy(w->arena, json_text(&w->tape, node, w->arena));
}

static bool is_safe(struct writing *w, struct slice text)
{
    if (!text.len || !memmem(text.ptr, text.len, w->delimiter.ptr, w->delimiter.len)) return true;
    return fault_set(w->why, FAULT_BAD_BODY, "what a policy put into the form holds its boundary; choose another");
}

/* In quotes: neither a quote nor a line end may stand there. */
static struct slice quotable(struct writing *w, struct slice name)
{
    struct slice copy = arena_copy(w->arena, name);
    char *to = (char *)copy.ptr;
    for (size_t i = 0; i < copy.len; i++) {
        if (to[i] == '"' || to[i] == '\\' || (unsigned char)to[i] < ' ') to[i] = '_';
    }
    return copy;
}

/* What it holds: the bytes that came, unless it was read as a text, and that is another now. */
static struct slice content_of(struct writing *w, const struct multipart_part *part, uint32_t node)
{
    struct slice bytes = multipart_value(part, w->body);
    uint32_t text = json_get(&w->tape, node, SLICE("text"));
    if (!json_is(&w->tape, text, JSON_STRING)) return bytes;
    struct slice now = text_of(w, text);
    return slice_equal(now, bytes) ? bytes : now;
}

/* Its name is another, or what it holds. */
static bool add_renamed(struct writing *w, const struct multipart_part *part, size_t next, uint32_t node)
{
    struct slice filename = text_of(w, json_get(&w->tape, node, SLICE("filename")));
    struct slice type = part->type;
    if (!is_safe(w, filename)) return false;
    add(w, arena_printf(w->arena, "%.*s\r\nContent-Disposition: form-data; name=\"%.*s\"; filename=\"%.*s\"%s%.*s",
                        SLICE_FMT(w->delimiter), SLICE_FMT(part->name), SLICE_FMT(quotable(w, filename)),
                        type.len ? "\r\nContent-Type: " : "", SLICE_FMT(type)));
    add(w, arena_copy(w->arena, SLICE("\r\n\r\n")));
    struct slice content = content_of(w, part, node);
    add(w, content);
    add(w, slice_of(w->body.ptr + part->to, next - part->to));
    return content.ptr == w->body.ptr + part->value || is_safe(w, content);
}

static bool add_changed(struct writing *w, const struct multipart_part *part, size_t next, uint32_t node)
{
    if (part->is_file && json_is(&w->tape, json_get(&w->tape, node, SLICE("filename")), JSON_STRING))
        return add_renamed(w, part, next, node);
    struct slice text = text_of(w, node);
    add(w, slice_of(w->body.ptr + part->from, part->value - part->from));
    add(w, text);
    add(w, slice_of(w->body.ptr + part->to, next - part->to));
    return is_safe(w, text);
}

static bool add_new(struct writing *w, uint32_t node)
{
    struct slice name = quotable(w, json_key_text(&w->tape, node, w->arena)), text = text_of(w, node);
    add(w, arena_printf(w->arena, "%.*s\r\nContent-Disposition: form-data; name=\"%.*s\"\r\n\r\n",
                        SLICE_FMT(w->delimiter), SLICE_FMT(name)));
    add(w, text);
    add(w, arena_copy(w->arena, SLICE("\r\n")));
    return is_safe(w, text) && is_safe(w, name);
}

/* As it stands in the edited object: raw name, colon, raw value. */
static bool is_same(const struct writing *w, uint32_t node, struct slice member)
{
    struct slice key = json_key(&w->tape, node), value = json_raw(&w->tape, node);
    return member.len == key.len + 1 + value.len && memcmp(member.ptr, key.ptr, key.len) == 0 &&
           memcmp(member.ptr + key.len + 1, value.ptr, value.len) == 0;
}

/* Members come in the order of their parts: those that are gone are passed over, those that are new stand last. */
static bool add_parts(struct writing *w)
{
    const struct multipart *m = &w->form->parts;
    uint32_t node = json_first(&w->tape, 0);
    for (size_t i = 0; i < m->count; i++) {
        const struct multipart_part *part = &m->parts[i];
        size_t next = i + 1 < m->count ? m->parts[i + 1].from : m->end;
        if (node == JSON_NONE || !json_key_is(&w->tape, node, part->name)) continue;
        if (is_same(w, node, w->form->members[i]))
            add(w, slice_of(w->body.ptr + part->from, next - part->from));
        else if (!add_changed(w, part, next, node))
            return false;
        node = json_next(&w->tape, node);
    }
    for (; node != JSON_NONE; node = json_next(&w->tape, node)) {
        if (!add_new(w, node)) return false;
    }
    add(w, slice_of(w->body.ptr + m->end, w->body.len - m->end));
    return true;
}

bool form_write(const struct form *form, struct slice body, struct slice edited, struct arena *arena,
                struct slice **pieces, size_t *count, struct fault *why)
{
    struct writing w = {.form = form, .body = body, .arena = arena, .why = why};
    json_init(&w.tape);
    w.delimiter = arena_join(arena, SLICE("--"), form->boundary);
    bool is_written = json_parse(&w.tape, edited, why) && add_parts(&w);
    json_clear(&w.tape);
    *pieces = w.pieces;
    *count = w.count;
    return is_written;
}

/* RFC 2045 5.1: what is no token stands in quotes. */
struct slice form_content_type(const struct form *form, struct arena *arena)
{
    bool is_plain = true;
    for (size_t i = 0; i < form->boundary.len; i++)
        is_plain = is_plain && !strchr("()<>@,;:\\\"/[]?= ", form->boundary.ptr[i]);
    const char *quote = is_plain ? "" : "\"";
    return arena_printf(arena, "multipart/form-data; boundary=%s%.*s%s", quote, SLICE_FMT(form->boundary), quote);
}
