/* Names of documents. Source: Amazon Bedrock API reference, DocumentBlock: letters and digits, blanks (one at a time),
 * hyphens, round and square brackets, at most 200 characters. A request's have to differ; the number that sees to that
 * stays the same while the conversation goes on, for what was said is cached as it stood. */
#include "wire/converse/converse_translate.h"

#define NAME_BYTES 160u

static bool may_stand(char c)
{
    bool is_alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return is_alnum || (c && strchr(" -()[]", c) != NULL);
}

/* What its format says already. */
static struct slice without_extension(struct slice name)
{
    static const char extension[] = ".pdf";
    size_t len = sizeof extension - 1;
    if (name.len <= len || !slice_iequal(slice_of(name.ptr + name.len - len, len), SLICE(".pdf"))) return name;
    return slice_of(name.ptr, name.len - len);
}

/* Of characters that may not stand there one hyphen each run. */
static void clean(struct buf *out, struct slice name)
{
    for (size_t i = 0; i < name.len && buf_len(out) < NAME_BYTES; i++) {
        bool may = may_stand(name.ptr[i]);
        char c = may ? name.ptr[i] : '-', last = buf_len(out) ? buf_ptr(out)[buf_len(out) - 1] : '\0';
        bool repeats = (c == ' ' && last == ' ') || (!may && last == '-');
        if (!repeats) buf_append_char(out, c);
    }
}

struct slice converse_document_name(const struct writing *w, const struct part *p, uint32_t number, bool *is_changed)
{
    struct arena *arena = w->c->arena;
    struct slice given = p->name.len > 2 ? without_extension(json_decode(p->name, arena)) : SLICE_NONE;
    struct buf out;
    buf_init(&out);
    clean(&out, given);
    struct slice name = slice_trim(buf_slice(&out));
    *is_changed = !slice_equal(name, given);
    if (!name.len) name = SLICE("document");
    bool is_numbered = number > 1 || name.ptr[name.len - 1] == ')'; /* it looks like one that is numbered */
    struct slice quoted = is_numbered ? arena_printf(arena, "\"%.*s (%u)\"", SLICE_FMT(name), number)
                                      : arena_printf(arena, "\"%.*s\"", SLICE_FMT(name));
    buf_clear(&out);
    return quoted;
}
