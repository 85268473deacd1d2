#include "wire/template/template_inner.h"

#include "base/limits.h"

#define MEANT_BRACES "write \\{{ for two braces that mean themselves, or a space between them"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-';
}

bool template_is_name(struct slice name)
{
    if (name.len == 0 || name.len > LIMIT_TEMPLATE_NAME_BYTES || !is_letter(name.ptr[0])) return false;
    for (size_t i = 1; i < name.len; i++) {
        if (!is_name(name.ptr[i])) return false;
    }
    return true;
}

/* Where the next "{{" is, from there on; the text's end when there is none. */
static size_t find_braces(struct slice text, size_t from)
{
    while (from + 1 < text.len) {
        const char *at = memchr(text.ptr + from, '{', text.len - 1 - from);
        if (!at) break;
        if (at[1] == '{') return (size_t)(at - text.ptr);
        from = (size_t)(at - text.ptr) + 1;
    }
    return text.len;
}

static size_t skip_blanks(struct slice text, size_t at)
{
    while (at < text.len && (text.ptr[at] == ' ' || text.ptr[at] == '\t'))
        at++;
    return at;
}

static enum template_token refuse(struct template_scan *s, const char *wrong)
{
    s->wrong = wrong;
    return TEMPLATE_WRONG;
}

/* What other languages write behind "{{", where here a name must stand. */
static enum template_token refuse_start(struct template_scan *s, char next)
{
    if (next && strchr("#/^>!&~@=%", next))
        return refuse(s, "logic of another template language stands here; a template has names alone, {{name}}: decide "
                         "it in the application and hand in the text");
    if (next == '{') return refuse(s, "three braces: {{name}} needs two, and never escapes; " MEANT_BRACES);
    return refuse(s, "{{ is not followed by a name ([A-Za-z_], then up to 63 of [A-Za-z0-9_-]); " MEANT_BRACES);
}

static enum template_token refuse_end(struct template_scan *s, char next)
{
    if (next == '|') return refuse(s, "filters are not known here: hand in the text as it is to stand");
    if (next && strchr(".[(", next))
        return refuse(s, "a variable has no members and is not called: declare one for what is wanted, {{name}}");
    return refuse(s, "no }} ends the name; " MEANT_BRACES);
}

/* s->began is at the braces. */
static enum template_token scan_hole(struct template_scan *s)
{
    struct slice text = s->text;
    size_t from = skip_blanks(text, s->began + 2), to = from;
    s->ended = s->began + 2;
    if (from >= text.len || !is_letter(text.ptr[from])) return refuse_start(s, from < text.len ? text.ptr[from] : '\0');
    while (to < text.len && is_name(text.ptr[to]))
        to++;
    if (to - from > LIMIT_TEMPLATE_NAME_BYTES) return refuse(s, "a variable's name has at most 64 characters");
    size_t end = skip_blanks(text, to);
    if (end + 1 >= text.len || text.ptr[end] != '}' || text.ptr[end + 1] != '}')
        return refuse_end(s, end < text.len ? text.ptr[end] : '\0');
    s->found = slice_of(text.ptr + from, to - from);
    s->ended = s->at = end + 2;
    return TEMPLATE_HOLE;
}

static enum template_token plain(struct template_scan *s, size_t from, size_t to, size_t next)
{
    s->found = slice_of(s->text.ptr + from, to - from);
    s->began = from;
    s->ended = s->at = next;
    return TEMPLATE_PLAIN;
}

enum template_token template_scan(struct template_scan *s)
{
    if (s->at >= s->text.len) return TEMPLATE_END;
    size_t braces = find_braces(s->text, s->at);
    bool is_escaped = braces < s->text.len && braces > s->at && s->text.ptr[braces - 1] == '\\';
    if (is_escaped && braces - 1 == s->at) return plain(s, braces, braces + 2, braces + 2);
    if (is_escaped) return plain(s, s->at, braces - 1, braces - 1);
    if (braces > s->at) return plain(s, s->at, braces, braces);
    s->began = braces;
    return scan_hole(s);
}
