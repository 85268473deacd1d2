#include "wire/data_url.h"

#include <string.h>

static const struct slice mark = {";base64,", 8};

static bool is_base64(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
           c == '=' || c == '-' || c == '_';
}

/* No byte of the mark but its first is that one: what breaks a match may begin another. */
static void match(struct data_url *d, char c)
{
    if (c == mark.ptr[d->matched])
        d->matched++;
    else
        d->matched = c == mark.ptr[0];
    if (d->matched < mark.len) return;
    d->matched = 0;
    d->seen = 1;
}

static size_t skip_to_mark(const struct data_url *d, struct slice text, size_t at)
{
    if (d->matched) return at;
    const char *found = memchr(text.ptr + at, mark.ptr[0], text.len - at);
    return found ? (size_t)(found - text.ptr) : text.len;
}

/* Of the text from there on: to where something is to be left out. */
static size_t end_of_text(struct data_url *d, struct slice text)
{
    size_t at = 0;
    while (at < text.len) {
        if (!d->seen) {
            at = skip_to_mark(d, text, at);
            if (at < text.len) match(d, text.ptr[at++]);
        } else if (!is_base64(text.ptr[at])) {
            d->seen = 0;
        } else if (d->seen > DATA_URL_TEXT_BYTES) {
            return at;
        } else {
            d->seen++;
            at++;
        }
    }
    return at;
}

static void leave_out(struct data_url *d, struct slice *text)
{
    size_t at = 0;
    if (d->seen <= DATA_URL_TEXT_BYTES) return;
    while (at < text->len && is_base64(text->ptr[at]))
        at++;
    if (at < text->len) d->seen = 0;
    *text = slice_of(text->ptr + at, text->len - at);
}

bool data_url_next(struct data_url *d, struct slice *text, struct slice *part)
{
    leave_out(d, text);
    size_t len = end_of_text(d, *text);
    *part = slice_of(text->ptr, len);
    *text = slice_of(text->ptr + len, text->len - len);
    return len > 0;
}
