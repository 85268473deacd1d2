#include "wire/template/template_inner.h"

/* As with a file's name and "a*b*c": the first text at the front, the last at the end, those between as early as they
 * come, which finds a way wherever there is one. */
static bool matches(const struct template *t, const struct template_message *m, struct slice text)
{
    const struct template_piece *p = t->pieces + m->first;
    bool is_free = false; /* a hole stands before what comes next */
    for (uint32_t i = 0; i < m->count; i++) {
        if (p[i].variable != TEMPLATE_LITERAL) {
            is_free = true;
            continue;
        }
        struct slice own = template_text_of(t, p[i].plain);
        bool is_last = i + 1 == m->count;
        if (own.len > text.len) return false;
        const char *found = text.ptr;
        if (is_free && is_last)
            found = text.ptr + (text.len - own.len);
        else if (is_free)
            found = memmem(text.ptr, text.len, own.ptr, own.len);
        if (!found || memcmp(found, own.ptr, own.len) != 0) return false;
        size_t next = (size_t)(found - text.ptr) + own.len;
        text = slice_of(text.ptr + next, text.len - next);
        is_free = false;
    }
    return is_free || text.len == 0;
}

bool template_matches(const struct template *t, uint32_t message, struct slice text)
{
    const struct template_message *m = &t->messages[message];
    if (!text.ptr) text = SLICE("");
    return m->parts == 0 && matches(t, m, text);
}
