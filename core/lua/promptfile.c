#include "lua/promptfile_inner.h"

#include <stdio.h>

#include "base/limits.h"
#include "wire/canonical.h"
#include "wire/template/template.h"

static const char *const about_names[] = {"name", "version", "owner", "department", "description", "tags", "links"};
#define ABOUT_NAMES (sizeof about_names / sizeof about_names[0])

struct reading {
    struct promptfile_error *why;
    promptfile_open_fn open;
    void *arg;
    struct arena arena;
    struct json_tape head;
    struct buf json;     /* of the head */
    struct buf messages; /* elements, with commas */
    struct buf text;     /* of the message that is read */
    size_t kept;         /* of its bytes: what is behind are blank lines */
    uint32_t starts[LIMIT_TEMPLATE_MESSAGES + 1]; /* the line where a message's text begins */
    uint32_t count, line, insert_at;
    enum template_role role;
    bool has_insert, is_inside;
};

static bool refuse(struct reading *r, uint32_t line, const char *format, const char *what)
{
    *r->why = (struct promptfile_error){.line = line};
    snprintf(r->why->text, sizeof r->why->text, format, what);
    return false;
}

void promptfile_init(struct promptfile *f)
{
    *f = (struct promptfile){0};
}

void promptfile_clear(struct promptfile *f)
{
    buf_clear(&f->about);
    buf_clear(&f->content);
    promptfile_init(f);
}

/* ---- Messages. */

static void end_message(struct reading *r)
{
    if (!r->is_inside) return;
    buf_printf(&r->messages, "%s{\"role\":\"%s\",\"content\":", r->count ? "," : "", template_role_name(r->role));
    buf_append_json(&r->messages, slice_of(buf_slice(&r->text).ptr, r->kept));
    buf_append_char(&r->messages, '}');
    buf_reset(&r->text);
    r->kept = 0;
    r->is_inside = false;
    r->count++;
}

static bool is_marker(struct reading *r, struct slice line)
{
    if (slice_equal(line, SLICE("@messages"))) {
        end_message(r);
        r->has_insert = true;
        r->insert_at = r->count;
        return true;
    }
    for (unsigned i = 0; i < TEMPLATE_ROLES; i++) {
        const char *name = template_role_name((enum template_role)i);
        if (line.len < 2 || line.ptr[0] != '@' || !slice_equal(slice_of(line.ptr + 1, line.len - 1), slice_str(name)))
            continue;
        end_message(r);
        r->role = (enum template_role)i;
        r->is_inside = true;
        if (r->count < LIMIT_TEMPLATE_MESSAGES) r->starts[r->count] = r->line + 1;
        return true;
    }
    return false;
}

/* Backslashes before "@", or before nothing but blanks: one of them goes. */
static bool is_escaped(struct slice line)
{
    size_t at = 0;
    while (at < line.len && line.ptr[at] == '\\')
        at++;
    struct slice rest = slice_of(line.ptr + at, line.len - at);
    return at > 0 && (slice_starts(rest, SLICE("@")) || slice_trim(rest).len == 0);
}

static bool add_line(struct reading *r, struct slice line)
{
    bool was_escaped = is_escaped(line);
    if (is_marker(r, line)) return true;
    if (!r->is_inside)
        return slice_trim(line).len == 0 ||
               refuse(r, r->line, "%s", "text before the first message: begin one with @system, @developer, @user or "
                                        "@assistant on a line of its own");
    if (was_escaped) line = slice_of(line.ptr + 1, line.len - 1);
    if (r->line > r->starts[r->count < LIMIT_TEMPLATE_MESSAGES ? r->count : LIMIT_TEMPLATE_MESSAGES])
        buf_append_char(&r->text, '\n');
    buf_append(&r->text, line);
    if (slice_trim(line).len || was_escaped) r->kept = buf_len(&r->text);
    return true;
}

static bool read_messages(struct reading *r, struct slice rest)
{
    while (rest.len) {
        struct slice line = slice_split(rest, '\n', &rest);
        if (line.len && line.ptr[line.len - 1] == '\r') line.len--;
        if (r->count > LIMIT_TEMPLATE_MESSAGES) return refuse(r, r->line, "%s", "there are more than 64 messages");
        if (!add_line(r, line)) return false;
        r->line++;
    }
    end_message(r);
    return r->count > 0 || refuse(r, r->line, "%s", "there is no message: a line that is @user alone begins one");
}

/* ---- The head. */

static bool append_resolved(struct reading *r, uint32_t node, struct buf *out);

/* json "…": the text itself, or a file beside. */
static bool append_json_of(struct reading *r, struct slice given, struct buf *out)
{
    struct buf text;
    struct fault why;
    char what[200] = "no file may be named here";
    bool is_text = given.len && (given.ptr[0] == '{' || given.ptr[0] == '[');
    buf_init(&text);
    if (is_text) buf_append(&text, given);
    bool is_there = is_text || (r->open && r->open(r->arg, given, &text, what, sizeof what));
    bool is_good = is_there && canonical_text(buf_slice(&text), out, &why);
    buf_clear(&text);
    if (!is_there) return refuse(r, 0, "json: %s", what);
    return is_good || refuse(r, 0, "json: %s", fault_message(&why));
}

static bool append_members(struct reading *r, uint32_t node, struct buf *out)
{
    buf_append_char(out, '{');
    for (uint32_t n = json_first(&r->head, node); n != JSON_NONE; n = json_next(&r->head, n)) {
        if (n != json_first(&r->head, node)) buf_append_char(out, ',');
        buf_append(out, json_key(&r->head, n));
        buf_append_char(out, ':');
        if (!append_resolved(r, n, out)) return false;
    }
    buf_append_char(out, '}');
    return true;
}

static bool append_elements(struct reading *r, uint32_t node, struct buf *out)
{
    buf_append_char(out, '[');
    for (uint32_t n = json_first(&r->head, node); n != JSON_NONE; n = json_next(&r->head, n)) {
        if (n != json_first(&r->head, node)) buf_append_char(out, ',');
        if (!append_resolved(r, n, out)) return false;
    }
    buf_append_char(out, ']');
    return true;
}

/* What json "…" stands for in place of it. As deep as a configuration may be. */
static bool append_resolved(struct reading *r, uint32_t node, struct buf *out)
{
    uint32_t json = json_get(&r->head, node, SLICE("$json"));
    if (json_is(&r->head, json, JSON_STRING)) return append_json_of(r, json_text(&r->head, json, &r->arena), out);
    if (json_is(&r->head, node, JSON_OBJECT)) return append_members(r, node, out);
    if (json_is(&r->head, node, JSON_ARRAY)) return append_elements(r, node, out);
    buf_append(out, json_raw(&r->head, node));
    return true;
}

static bool is_about(struct slice key)
{
    for (size_t i = 0; i < ABOUT_NAMES; i++) {
        if (slice_equal(key, slice_str(about_names[i]))) return true;
    }
    return false;
}

/* The members of the one kind or the other. An empty table in Lua is an object: lists of nothing are not written. */
static bool append_part(struct reading *r, bool wants_about, struct buf *out)
{
    const char *comma = "";
    for (uint32_t n = json_first(&r->head, 0); n != JSON_NONE; n = json_next(&r->head, n)) {
        if (is_about(json_key_text(&r->head, n, &r->arena)) != wants_about) continue;
        buf_append(out, slice_str(comma));
        comma = ",";
        buf_append(out, json_key(&r->head, n));
        buf_append_char(out, ':');
        if (!append_resolved(r, n, out)) return false;
    }
    return true;
}

static bool write_about(struct reading *r, struct promptfile *f)
{
    struct buf text;
    struct fault why;
    uint32_t version = json_get(&r->head, 0, SLICE("version"));
    if (!json_is(&r->head, json_get(&r->head, 0, SLICE("name")), JSON_STRING))
        return refuse(r, 2, "%s", "the head must say a name: name = \"support/reply\"");
    if (version != JSON_NONE && !json_is(&r->head, version, JSON_STRING))
        return refuse(r, 0, "%s", "version must be a text: version = \"1.0.0\"");
    if (version != JSON_NONE) f->version_bytes = (uint32_t)json_raw(&r->head, version).len - 2;
    buf_init(&text);
    buf_append_char(&text, '{');
    bool is_good = append_part(r, true, &text);
    buf_append_char(&text, '}');
    is_good = is_good && (canonical_text(buf_slice(&text), &f->about, &why) || refuse(r, 0, "%s", fault_message(&why)));
    buf_clear(&text);
    return is_good;
}

static bool write_content(struct reading *r, struct promptfile *f)
{
    struct buf text;
    struct fault why;
    buf_init(&text);
    buf_append_char(&text, '{');
    bool is_good = append_part(r, false, &text);
    buf_printf(&text, "%s\"messages\":[", buf_len(&text) > 1 ? "," : "");
    buf_append(&text, buf_slice(&r->messages));
    buf_append_char(&text, ']');
    if (r->has_insert && r->insert_at < r->count) buf_printf(&text, ",\"insert_at\":%u", r->insert_at);
    buf_append_char(&text, '}');
    is_good = is_good &&
              (canonical_text(buf_slice(&text), &f->content, &why) || refuse(r, 0, "%s", fault_message(&why)));
    buf_clear(&text);
    return is_good;
}

/* Where the compiler finds something wrong in a message, as a line of the file. */
static bool check_content(struct reading *r, const struct promptfile *f)
{
    struct json_tape tape;
    struct template_error wrong;
    struct fault why;
    struct buf compiled;
    json_init(&tape);
    buf_init(&compiled);
    bool is_good = json_parse(&tape, buf_slice(&f->content), &why) && template_compile(&tape, 0, &compiled, &wrong);
    buf_clear(&compiled);
    json_clear(&tape);
    if (is_good) return true;
    refuse(r, 0, "%s", wrong.text);
    if (wrong.message < r->count) {
        r->why->line = r->starts[wrong.message] + wrong.line - 1;
        r->why->column = wrong.column;
    }
    return false;
}

/* The head between two lines "---", and what is behind. */
static bool split(struct reading *r, struct slice text, struct slice *head, struct slice *rest)
{
    struct slice line = slice_split(text, '\n', rest);
    *head = slice_of(rest->ptr, 0);
    r->line = 2;
    if (!slice_equal(slice_trim(line), SLICE("---")))
        return refuse(r, 1, "%s", "the first line must be ---, then the head: name = \"support/reply\", …, then ---");
    while (rest->len) {
        line = slice_split(*rest, '\n', rest);
        r->line++;
        if (slice_equal(slice_trim(line), SLICE("---"))) return true;
        head->len = (size_t)(line.ptr + line.len - head->ptr);
    }
    return refuse(r, r->line, "%s", "the head has no end: a line that is --- alone");
}

static bool read_all(struct reading *r, struct promptfile *f, struct slice text)
{
    struct slice head, rest;
    struct fault why;
    if (text.len > PROMPTFILE_BYTES_MAX) return refuse(r, 0, "%s", "a prompt's file has at most 512 KB");
    if (!split(r, text, &head, &rest) || !promptfile_head(head, &r->json, r->why)) return false;
    if (!json_parse(&r->head, buf_slice(&r->json), &why)) return refuse(r, 0, "%s", fault_message(&why));
    return read_messages(r, rest) && write_about(r, f) && write_content(r, f) && check_content(r, f);
}

bool promptfile_read(struct promptfile *f, struct slice text, promptfile_open_fn open, void *arg,
                     struct promptfile_error *why)
{
    struct reading r = {.why = why, .open = open, .arg = arg};
    arena_init(&r.arena);
    json_init(&r.head);
    bool is_good = read_all(&r, f, text);
    if (!is_good) promptfile_clear(f);
    buf_clear(&r.json);
    buf_clear(&r.messages);
    buf_clear(&r.text);
    json_clear(&r.head);
    arena_clear(&r.arena);
    return is_good;
}
