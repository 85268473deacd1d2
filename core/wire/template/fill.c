#include "wire/template/template_inner.h"

uint64_t template_bytes(const struct template *t, const struct slice *values)
{
    uint64_t all = t->pool_bytes;
    for (uint32_t i = 0; i < t->variable_count; i++) {
        uint64_t more;
        if (__builtin_mul_overflow((uint64_t)values[i].len, t->variables[i].uses, &more) ||
            __builtin_add_overflow(all, more, &all))
            return UINT64_MAX;
    }
    return all;
}

static inline struct slice piece_bytes(const struct template *t, const struct template_piece *p,
                                       const struct slice *values)
{
    return p->variable == TEMPLATE_LITERAL ? template_text_of(t, p->escaped) : values[p->variable];
}

bool template_has_holes(const struct template *t, uint32_t message)
{
    const struct template_message *m = &t->messages[message];
    for (uint32_t i = 0; i < m->count; i++) {
        if (t->pieces[m->first + i].variable != TEMPLATE_LITERAL) return true;
    }
    return false;
}

void template_write(const struct template *t, uint32_t message, const struct slice *values, struct buf *out)
{
    const struct template_message *m = &t->messages[message];
    const struct template_piece *p = t->pieces + m->first;
    for (uint32_t i = 0; i < m->count; i++)
        buf_append(out, piece_bytes(t, &p[i], values));
}

static bool is_media_piece(const struct template *t, const struct template_piece *p)
{
    return p->variable != TEMPLATE_LITERAL && template_is_media(t->variables[p->variable].type);
}

/* The line ends around a part of its own go with it: no text begins or ends with one that nobody wrote. */
static struct slice trimmed(struct slice text, bool at_front, bool at_back)
{
    while (at_front && text.len && text.ptr[0] == ' ')
        text = slice_of(text.ptr + 1, text.len - 1);
    if (at_front && slice_starts(text, SLICE("\\n"))) text = slice_of(text.ptr + 2, text.len - 2);
    while (at_back && text.len && text.ptr[text.len - 1] == ' ')
        text.len--;
    if (at_back && text.len >= 2 && memcmp(text.ptr + text.len - 2, "\\n", 2) == 0) text.len -= 2;
    return text;
}

bool template_write_part(const struct template *t, uint32_t message, const struct slice *values, uint32_t *at,
                         struct buf *out, struct template_part *part)
{
    const struct template_message *m = &t->messages[message];
    const struct template_piece *p = t->pieces + m->first;
    if (*at >= m->count) return false;
    if (is_media_piece(t, &p[*at])) {
        uint32_t v = p[(*at)++].variable;
        *part = (struct template_part){.type = (enum template_type)t->variables[v].type, .value = values[v]};
        return true;
    }
    *part = (struct template_part){.is_text = true};
    for (; *at < m->count && !is_media_piece(t, &p[*at]); (*at)++) {
        struct slice bytes = piece_bytes(t, &p[*at], values);
        bool is_own = p[*at].variable == TEMPLATE_LITERAL;
        bool at_front = is_own && *at > 0 && is_media_piece(t, &p[*at - 1]);
        bool at_back = is_own && *at + 1 < m->count && is_media_piece(t, &p[*at + 1]);
        buf_append(out, trimmed(bytes, at_front, at_back));
    }
    return true;
}
