#include "wire/conceal.h"

#include <string.h>

#include "base/limits.h"

#define IN_ITS_PLACE SLICE("[secret]")
#define SURE_BYTES 4u /* looked for at once; the rest is compared */

void conceal_init(struct conceal *c, const struct slice *secrets, size_t count)
{
    *c = (struct conceal){.secrets = secrets, .count = count};
    buf_init(&c->held);
    buf_init(&c->text);
    buf_init(&c->changed);
}

void conceal_clear(struct conceal *c)
{
    buf_clear(&c->held);
    buf_clear(&c->text);
    buf_clear(&c->changed);
}

/* How many bytes at the beginning of `at` are the secret; 0: it is not there. *is_part: `at` ends inside it. */
static size_t length_at(struct slice secret, struct slice at, bool *is_part)
{
    size_t i = 0, k = 0;
    for (; k < secret.len && i < at.len; i++) {
        if (at.ptr[i] == secret.ptr[k])
            k++;
        else if (at.ptr[i] != '\\' || secret.ptr[k] != '/')
            return 0;
    }
    *is_part = k < secret.len;
    return *is_part ? 0 : i;
}

struct found {
    size_t at, len; /* len 0: only its beginning, up to the end of the text */
};

/* Of the secret's first bytes, as many as stand alike in every spelling; one, where a beginning counts too. */
static struct slice sure_part(struct slice secret, bool goes_on)
{
    const char *slash = memchr(secret.ptr, '/', secret.len);
    size_t sure = slash ? (size_t)(slash - secret.ptr) : secret.len;
    if (goes_on || sure < 1) sure = 1;
    return slice_of(secret.ptr, sure < SURE_BYTES ? sure : SURE_BYTES);
}

/* The first place at or behind `from` where this secret, or its beginning at the text's end, stands. A secret that
 * begins with '/' is found behind the backslash, which stays. */
static bool find_one(struct slice secret, struct slice text, size_t from, bool goes_on, struct found *found)
{
    if (secret.len < LIMIT_CONCEAL_BYTES_MIN) return false;
    struct slice sure = sure_part(secret, goes_on);
    while (from < text.len) {
        bool is_part = false;
        const char *first = memmem(text.ptr + from, text.len - from, sure.ptr, sure.len);
        if (!first) return false;
        from = (size_t)(first - text.ptr);
        size_t len = length_at(secret, slice_of(first, text.len - from), &is_part);
        if (len || (is_part && goes_on)) {
            *found = (struct found){from, len};
            return true;
        }
        from++;
    }
    return false;
}

/* Of all secrets the one that stands first; of two at one place the longer. */
static bool find(const struct conceal *c, struct slice text, size_t from, bool goes_on, struct found *found)
{
    struct found one;
    bool has = false;
    for (size_t i = 0; i < c->count; i++) {
        if (!find_one(c->secrets[i], text, from, goes_on, &one)) continue;
        if (!has || one.at < found->at || (one.at == found->at && one.len > found->len)) *found = one;
        has = true;
    }
    return has;
}

/* What is held by now comes in front of the bytes. */
static struct slice with_held(struct conceal *c, struct slice bytes)
{
    if (!buf_len(&c->held)) return bytes;
    buf_reset(&c->text);
    buf_append(&c->text, buf_slice(&c->held));
    buf_append(&c->text, bytes);
    buf_reset(&c->held);
    return buf_slice(&c->text);
}

struct slice conceal_pass(struct conceal *c, struct slice bytes, bool goes_on)
{
    struct slice text = with_held(c, bytes);
    struct found found;
    size_t from = 0;
    if (!find(c, text, 0, goes_on, &found)) return text;
    buf_reset(&c->changed);
    do {
        buf_append(&c->changed, slice_of(text.ptr + from, found.at - from));
        from = found.at + found.len;
        buf_append(found.len ? &c->changed : &c->held,
                   found.len ? IN_ITS_PLACE : slice_of(text.ptr + from, text.len - from));
        if (!found.len) from = text.len;
    } while (find(c, text, from, goes_on, &found));
    buf_append(&c->changed, slice_of(text.ptr + from, text.len - from));
    return buf_slice(&c->changed);
}

struct slice conceal_rest(struct conceal *c)
{
    return with_held(c, SLICE(""));
}

bool conceal_finds(const struct slice *secrets, size_t count, struct slice text)
{
    struct conceal c = {.secrets = secrets, .count = count};
    struct found found;
    return find(&c, text, 0, false, &found);
}
