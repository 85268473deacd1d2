#include "wire/multipart.h"

#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"

#define BOUNDARY_BYTES_MAX 70 /* RFC 2046 5.1.1 */

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

static bool is_token(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_alnum(s.ptr[i]) && !is_one_of(s.ptr[i], "!#$%&'*+-.^_`|~")) return false;
    }
    return s.len > 0;
}

/* ---- Parameters of a header: ; name=token or ; name="text" */

struct parameters {
    struct slice rest;
    struct slice name, value;
    bool is_bad;
};

static void skip_blanks(struct slice *s)
{
    while (s->len && (s->ptr[0] == ' ' || s->ptr[0] == '\t'))
        *s = slice_of(s->ptr + 1, s->len - 1);
}

/* Escapes are read variously: there are none. */
static bool take_quoted(struct slice *rest, struct slice *value)
{
    size_t at = 1;
    while (at < rest->len && rest->ptr[at] != '"')
        at++;
    if (at == rest->len || rest->ptr[at - 1] == '\\') return false;
    *value = slice_of(rest->ptr + 1, at - 1);
    *rest = slice_of(rest->ptr + at + 1, rest->len - at - 1);
    return true;
}

static bool take_plain(struct slice *rest, struct slice *value)
{
    size_t at = 0;
    while (at < rest->len && !is_one_of(rest->ptr[at], "; \t"))
        at++;
    *value = slice_of(rest->ptr, at);
    *rest = slice_of(rest->ptr + at, rest->len - at);
    return is_token(*value);
}

/* False: there is no more, or what follows is none (is_bad). */
static bool next_parameter(struct parameters *p)
{
    skip_blanks(&p->rest);
    if (!p->rest.len || p->is_bad) return false;
    p->is_bad = true;
    if (p->rest.ptr[0] != ';') return false;
    p->rest = slice_of(p->rest.ptr + 1, p->rest.len - 1);
    skip_blanks(&p->rest);
    const char *equals = p->rest.len ? memchr(p->rest.ptr, '=', p->rest.len) : NULL;
    if (!equals) return false;
    p->name = slice_of(p->rest.ptr, (size_t)(equals - p->rest.ptr));
    p->rest = slice_of(equals + 1, p->rest.len - p->name.len - 1);
    bool is_quoted = p->rest.len && p->rest.ptr[0] == '"';
    if (!is_token(p->name) || !(is_quoted ? take_quoted : take_plain)(&p->rest, &p->value)) return false;
    p->is_bad = false;
    return true;
}

/* ---- The boundary. */

static bool is_boundary(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_alnum(s.ptr[i]) && !is_one_of(s.ptr[i], "'()+_,-./:=? ")) return false;
    }
    return s.len > 0 && s.len <= BOUNDARY_BYTES_MAX && s.ptr[s.len - 1] != ' ';
}

bool multipart_boundary(struct slice content_type, struct arena *arena, struct slice *boundary, struct fault *why)
{
    struct slice rest, type = slice_trim(slice_split(content_type, ';', &rest));
    struct parameters p = {.rest = slice_of(content_type.ptr + (content_type.len - rest.len), rest.len)};
    if (!slice_iequal(type, SLICE("multipart/form-data")))
        return fault_set(why, FAULT_MEDIA_TYPE, "A form here is multipart/form-data, not %.*s.", SLICE_FMT(type));
    *boundary = SLICE_NONE;
    if (rest.len) p.rest = slice_of(rest.ptr - 1, rest.len + 1); /* with its semicolon */
    while (next_parameter(&p)) {
        if (!slice_iequal(p.name, SLICE("boundary"))) continue;
        if (boundary->ptr) p.is_bad = true;
        *boundary = p.value;
    }
    if (p.is_bad || !is_boundary(*boundary))
        return fault_set(why, FAULT_MEDIA_TYPE, "multipart/form-data wants one boundary of 1 to %d plain characters.",
                         BOUNDARY_BYTES_MAX);
    *boundary = arena_copy(arena, *boundary);
    return true;
}

/* ---- A part's head. */

struct reading {
    struct multipart *m;
    struct slice body;
    struct slice delimiter; /* "--boundary" */
    struct arena *arena;
    struct fault *why;
    size_t cap;
};

static bool refuse(const struct reading *r, const char *what)
{
    return fault_set(r->why, FAULT_BAD_BODY, "part %zu of the form %s", r->m->count, what);
}

static bool keep_name(const struct reading *r, struct slice *to, struct slice name)
{
    if (to->ptr) return refuse(r, "has a name twice; give it once");
    if (name.len > LIMIT_FORM_NAME_BYTES) return refuse(r, "has a name that is too long");
    if (!utf8_is_valid(name)) return refuse(r, "has a name that is no UTF-8");
    *to = arena_copy(r->arena, name);
    if (!to->ptr) *to = SLICE("");
    return true;
}

/* What is called twice is shown by both names. */
static struct slice join_names(const struct reading *r, struct slice name, struct slice extended)
{
    return name.len ? arena_join(r->arena, arena_join(r->arena, name, SLICE(" ")), extended) : extended;
}

static bool read_disposition(const struct reading *r, struct multipart_part *part, struct slice value)
{
    struct slice rest, kind = slice_trim(slice_split(value, ';', &rest));
    struct parameters p = {.rest = rest.len ? slice_of(rest.ptr - 1, rest.len + 1) : SLICE_NONE};
    struct slice extended = SLICE_NONE;
    if (!slice_iequal(kind, SLICE("form-data")) || part->name.ptr)
        return refuse(r, "wants one Content-Disposition, form-data");
    while (next_parameter(&p)) {
        if (slice_iequal(p.name, SLICE("name"))) {
            if (!keep_name(r, &part->name, p.value)) return false;
        } else if (slice_iequal(p.name, SLICE("filename"))) {
            if (!keep_name(r, &part->filename, p.value)) return false;
            part->is_file = true;
        } else if (slice_iequal(p.name, SLICE("filename*"))) {
            if (!keep_name(r, &extended, p.value)) return false;
            part->is_file = true;
        } else {
            return refuse(r, "has a Content-Disposition with more than \"name\" and \"filename\"; leave that out");
        }
    }
    if (p.is_bad) return refuse(r, "has a Content-Disposition that cannot be read; names stand in plain quotes there");
    if (extended.len) part->filename = join_names(r, part->filename, extended);
    return part->name.len > 0 || refuse(r, "has no name");
}

/* In any other the same bytes are other words. */
static bool is_charset_known(struct slice type)
{
    struct slice rest;
    if (!type.len) return true;
    slice_split(type, ';', &rest);
    struct parameters p = {.rest = rest.len ? slice_of(rest.ptr - 1, rest.len + 1) : SLICE_NONE};
    while (next_parameter(&p)) {
        bool is_known = slice_iequal(p.value, SLICE("utf-8")) || slice_iequal(p.value, SLICE("us-ascii"));
        if (slice_iequal(p.name, SLICE("charset")) && !is_known) return false;
    }
    return !p.is_bad;
}

static bool read_header(const struct reading *r, struct multipart_part *part, struct slice line)
{
    struct slice value, name = slice_split(line, ':', &value);
    value = slice_trim(value);
    if (!is_token(name) || name.len == line.len) return refuse(r, "has a header that is none");
    if (slice_iequal(name, SLICE("content-disposition"))) return read_disposition(r, part, value);
    if (slice_iequal(name, SLICE("content-type"))) {
        if (part->type.ptr) return refuse(r, "has a Content-Type twice; give it once");
        part->type = arena_copy(r->arena, value);
        if (!part->type.ptr) part->type = SLICE("");
        return true;
    }
    if (!slice_iequal(name, SLICE("content-transfer-encoding"))) return true;
    bool is_plain = slice_iequal(value, SLICE("binary")) || slice_iequal(value, SLICE("8bit")) ||
                    slice_iequal(value, SLICE("7bit"));
    return is_plain || refuse(r, "has a Content-Transfer-Encoding; send its bytes as they are");
}

/* Its last line end is the blank line's, which ends the head. */
static bool read_head(const struct reading *r, struct multipart_part *part, struct slice head)
{
    while (head.len) {
        const char *end = memmem(head.ptr, head.len, "\r\n", 2);
        size_t len = (size_t)(end - head.ptr);
        struct slice line = slice_of(head.ptr, len);
        head = slice_of(end + 2, head.len - len - 2);
        if (memchr(line.ptr, '\n', len) || memchr(line.ptr, '\r', len) || memchr(line.ptr, '\0', len))
            return refuse(r, "has a line that ends otherwise than in CR LF");
        if (!read_header(r, part, line)) return false;
    }
    if (!part->name.ptr) return refuse(r, "has no Content-Disposition");
    return part->is_file || is_charset_known(part->type) || refuse(r, "has a charset; texts are UTF-8 here");
}

/* ---- Delimiters. */

/* From `at` on: the next delimiter behind a line end; SIZE_MAX: none. Sets *is_bare where that is no CR LF. */
static size_t find_delimiter(const struct reading *r, size_t at, bool *is_bare)
{
    *is_bare = false;
    while (at < r->body.len) {
        const char *found = memmem(r->body.ptr + at, r->body.len - at, r->delimiter.ptr, r->delimiter.len);
        if (!found) return SIZE_MAX;
        size_t place = (size_t)(found - r->body.ptr);
        char before = place ? found[-1] : '\n';
        bool is_line = before == '\n' || before == '\r';
        *is_bare = place && is_line && !(before == '\n' && place > 1 && found[-2] == '\r');
        if (is_line) return place;
        at = place + 1;
    }
    return SIZE_MAX;
}

static struct slice behind(const struct reading *r, size_t delimiter)
{
    size_t at = delimiter + r->delimiter.len;
    return slice_of(r->body.ptr + at, r->body.len - at);
}

static struct multipart_part *add_part(struct reading *r)
{
    struct multipart *m = r->m;
    if (m->count == LIMIT_FORM_PARTS) {
        fault_set(r->why, FAULT_BAD_BODY, "the form has more than %u parts", LIMIT_FORM_PARTS);
        return NULL;
    }
    if (m->count == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 8;
        struct multipart_part *larger = arena_zalloc(r->arena, cap * sizeof *larger);
        if (m->count) memcpy(larger, m->parts, m->count * sizeof *larger);
        m->parts = larger;
        r->cap = cap;
    }
    return &m->parts[m->count++];
}

/* The part whose delimiter is there; *next: of the one behind it. */
static bool read_part(struct reading *r, size_t from, size_t *next)
{
    struct multipart_part *part = add_part(r);
    bool is_bare;
    if (!part) return false;
    part->from = from;
    part->head = from + r->delimiter.len + 2;
    size_t left = r->body.len - part->head, most = left < LIMIT_FORM_HEAD_BYTES ? left : LIMIT_FORM_HEAD_BYTES;
    const char *blank = memmem(r->body.ptr + part->head, most, "\r\n\r\n", 4);
    if (!blank) return refuse(r, "has a head that does not end, or is too long");
    struct slice head = slice_of(r->body.ptr + part->head, (size_t)(blank - r->body.ptr) + 2 - part->head);
    part->value = part->head + head.len + 2;
    *next = find_delimiter(r, part->value, &is_bare);
    if (*next == SIZE_MAX) return refuse(r, "has no end: the form's last boundary is missing");
    if (is_bare || *next < part->value + 2) return refuse(r, "holds the boundary; choose another");
    part->to = *next - 2;
    return read_head(r, part, head);
}

bool multipart_parse(struct multipart *m, struct slice body, struct slice boundary, struct arena *arena,
                     struct fault *why)
{
    struct reading r = {.m = m, .body = body, .arena = arena, .why = why};
    *m = (struct multipart){0};
    r.delimiter = arena_join(arena, SLICE("--"), boundary);
    if (!slice_starts(body, r.delimiter))
        return fault_set(why, FAULT_BAD_BODY, "the form does not begin with the boundary of its Content-Type");
    size_t at = 0;
    while (slice_starts(behind(&r, at), SLICE("\r\n"))) {
        if (!read_part(&r, at, &at)) return false;
    }
    struct slice end = behind(&r, at);
    m->end = at;
    if (!slice_equal(end, SLICE("--")) && !slice_equal(end, SLICE("--\r\n")))
        return fault_set(why, FAULT_BAD_BODY, "part %zu of the form is followed by a boundary that is none", m->count);
    return m->count > 0 || fault_set(why, FAULT_BAD_BODY, "the form has no parts");
}
