#include "wire/translate/dropped.h"

#include <stdio.h>

/* Tokens of RFC 9110 5.6.2 as far as JSON's names use them, and what paths are made of. */
static bool may_stand(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_-.[]$", c) != NULL);
}

static bool has(const struct dropped *d, const struct dropped_name *name)
{
    for (size_t i = 0; i < d->count; i++) {
        if (d->names[i].len == name->len && memcmp(d->names[i].text, name->text, name->len) == 0) return true;
    }
    return false;
}

static void append(struct dropped_name *to, struct slice text)
{
    for (size_t i = 0; i < text.len && to->len < DROPPED_NAME_BYTES; i++)
        to->text[to->len++] = may_stand(text.ptr[i]) ? text.ptr[i] : '?';
}

void dropped_add_at(struct dropped *d, const char *list, uint32_t number, struct slice name)
{
    struct dropped_name new = {.len = 0};
    char place[24];
    if (list) {
        append(&new, slice_str(list));
        int n = snprintf(place, sizeof place, "[%u]%s", number, name.len ? "." : "");
        append(&new, slice_of(place, (size_t)n));
    }
    append(&new, name);
    if (has(d, &new)) return;
    if (d->count < DROPPED_MAX)
        d->names[d->count++] = new;
    else
        d->more++;
}

void dropped_add(struct dropped *d, struct slice name)
{
    dropped_add_at(d, NULL, 0, name);
}

void dropped_write(const struct dropped *d, struct buf *out)
{
    for (size_t i = 0; i < d->count; i++) {
        if (i) buf_append(out, SLICE(", "));
        buf_append(out, slice_of(d->names[i].text, d->names[i].len));
    }
    if (d->more) buf_printf(out, ", +%u", d->more);
}
