#include "flow/repeats.h"

/* x-moongate-label alone is a list. */
static bool is_hint(struct slice name)
{
    static const struct slice prefix = {"x-moongate-", 11};
    return name.len > prefix.len && slice_iequal(slice_of(name.ptr, prefix.len), prefix) &&
           !slice_iequal(name, SLICE("x-moongate-label"));
}

/* Credentials under a name of auth.lua's own need not be looked for: two that were joined are nobody's. */
static bool has_one_value(struct slice name)
{
    if (slice_iequal(name, SLICE("cookie"))) return false;
    return is_hint(name) || http_is_credential(name) || slice_iequal(name, SLICE("content-type")) ||
           slice_iequal(name, SLICE("idempotency-key")) || slice_iequal(name, SLICE("origin"));
}

static bool has_come(const struct exchange *x, struct slice name)
{
    for (size_t i = 0; i < x->head.header_count; i++) {
        if (slice_iequal(x->head.headers[i].name, name)) return true;
    }
    return false;
}

/* Behind the one at `from`, how many have its name; *bytes: of their values. */
static size_t count_more(const struct http_head *head, size_t from, size_t *bytes)
{
    size_t more = 0;
    *bytes = 0;
    for (size_t i = from + 1; i < head->header_count; i++) {
        if (!slice_iequal(head->headers[i].name, head->headers[from].name)) continue;
        *bytes += head->headers[i].value.len;
        more++;
    }
    return more;
}

static char *append(char *to, struct slice s)
{
    if (s.len) memcpy(to, s.ptr, s.len);
    return to + s.len;
}

/* RFC 6265 5.4: a cookie's pairs have a separator of their own. Empty values are left out. */
static struct slice join(struct exchange *x, const struct http_head *head, size_t from, size_t bytes)
{
    struct slice name = head->headers[from].name;
    struct slice between = slice_iequal(name, SLICE("cookie")) ? SLICE("; ") : SLICE(", ");
    char *text = arena_alloc(&x->arena, bytes), *to = text;
    for (size_t i = from; i < head->header_count; i++) {
        struct slice value = head->headers[i].value;
        if (!value.len || !slice_iequal(head->headers[i].name, name)) continue;
        if (to != text) to = append(to, between);
        to = append(to, value);
    }
    return slice_of(text, (size_t)(to - text));
}

static bool refuse(struct slice name, struct fault *why)
{
    return fault_set(why, FAULT_BAD_REQUEST, "The header %.*s came twice, and may have one value: send it once.",
                     SLICE_FMT(name));
}

bool repeats_join(struct exchange *x, const struct http_head *head, struct fault *why)
{
    x->head.headers = arena_alloc(&x->arena, (head->header_count + 1) * sizeof *x->head.headers);
    for (size_t i = 0; i < head->header_count; i++) {
        struct slice name = head->headers[i].name, value = head->headers[i].value;
        size_t bytes;
        if (has_come(x, name)) continue;
        size_t more = count_more(head, i, &bytes);
        if (more && has_one_value(name)) return refuse(name, why);
        value = more ? join(x, head, i, value.len + bytes + 2 * more + 1) : arena_copy(&x->arena, value);
        x->head.headers[x->head.header_count++] = (struct pair){arena_copy(&x->arena, name), value};
    }
    return true;
}
