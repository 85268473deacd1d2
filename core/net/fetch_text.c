#include "net/fetch_inner.h"

#include "base/limits.h"
#include "base/mem.h"
#include "net/head.h"

/* A body up to this is copied next to the head, so that both leave in one write; a larger one is read from the caller's
 * pieces. */
#define JOIN_BYTES_MAX (16u * KIB)
#define URL_BYTES_MAX (64u * KIB)

/* Framing is the fetch's own affair: a second opinion about it is how requests are smuggled. */
static bool is_ours(struct slice name)
{
    static const struct slice ours[] = {{"content-length", 14}, {"transfer-encoding", 17},
                                        {"expect", 6},          {"connection", 10},
                                        {"keep-alive", 10},     {"te", 2},
                                        {"upgrade", 7},         {"trailer", 7}};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (slice_iequal(name, ours[i])) return true;
    }
    return false;
}

static bool is_url(struct slice url)
{
    if (url.len > URL_BYTES_MAX) return false;
    for (size_t i = 0; i < url.len; i++) {
        unsigned char c = (unsigned char)url.ptr[i];
        if (c <= ' ' || c == 0x7f) return false;
    }
    return url.len > 0;
}

static bool check_request(const struct fetch_request *r, struct fault *why)
{
    if (!head_is_token(r->method)) return fault_set(why, FAULT_INTERNAL, "the request's method is not a token");
    if (!is_url(r->url)) return fault_set(why, FAULT_INTERNAL, "the provider's URL is empty, too long, or has spaces");
    for (size_t i = 0; i < r->header_count; i++) {
        if (!head_is_token(r->headers[i].name))
            return fault_set(why, FAULT_INTERNAL, "a header to the provider has a name that is not a token");
        if (!head_is_value(r->headers[i].value))
            return fault_set(why, FAULT_INTERNAL, "the header %.*s to the provider has a control character",
                             SLICE_FMT(r->headers[i].name));
    }
    return true;
}

static bool takes_body(struct slice method)
{
    return slice_equal(method, SLICE("POST")) || slice_equal(method, SLICE("PUT")) ||
           slice_equal(method, SLICE("PATCH"));
}

static char *put(char **at, struct slice s)
{
    char *start = *at;
    if (s.len) memcpy(start, s.ptr, s.len);
    start[s.len] = 0;
    *at = start + s.len + 1;
    return start;
}

/* "name: value"; curl wants "name;" for an empty value and takes "name:" as "leave it out". */
static char *put_header(char **at, const struct fetch_header *h)
{
    char *start = *at;
    memcpy(start, h->name.ptr, h->name.len);
    char *end = start + h->name.len;
    *end++ = h->value.len ? ':' : ';';
    if (h->value.len) *end++ = ' ';
    *at = end;
    put(at, h->value);
    return start;
}

static void chain(struct curl_slist *nodes, size_t *count, char *line)
{
    nodes[*count] = (struct curl_slist){line, NULL};
    if (*count) nodes[*count - 1].next = &nodes[*count];
    ++*count;
}

/* The User-Agent as one of them: as an option of curl's it would be formatted twice. */
static void put_headers(struct fetch_text *t, struct curl_slist *nodes, const struct fetch_request *r,
                        struct slice user_agent, char **at)
{
    size_t count = 0;
    bool has_type = false, has_agent = false;
    chain(nodes, &count, put(at, SLICE("Expect:")));
    for (size_t i = 0; i < r->header_count; i++) {
        if (is_ours(r->headers[i].name)) continue;
        has_agent = has_agent || slice_iequal(r->headers[i].name, SLICE("user-agent"));
        has_type = has_type || slice_iequal(r->headers[i].name, SLICE("content-type"));
        chain(nodes, &count, put_header(at, &r->headers[i]));
    }
    const struct fetch_header agent = {SLICE("User-Agent"), user_agent};
    if (!has_agent) chain(nodes, &count, put_header(at, &agent));
    /* else curl says that it is a form */
    if (!has_type && t->has_body) chain(nodes, &count, put(at, SLICE("Content-Type:")));
    t->headers = nodes;
}

static void put_body(struct fetch_text *t, const struct fetch_request *r, char **at)
{
    if (t->body_bytes > JOIN_BYTES_MAX || !t->has_body) return;
    t->copied_body = *at;
    for (size_t i = 0; i < r->body_count; i++) {
        if (r->body[i].len) memcpy(*at, r->body[i].ptr, r->body[i].len);
        *at += r->body[i].len;
    }
}

bool fetch_text_build(struct fetch_text *t, const struct fetch_request *r, struct slice user_agent, struct fault *why)
{
    *t = (struct fetch_text){0};
    if (!check_request(r, why)) return false;
    size_t text = r->url.len + r->method.len + sizeof "Expect:" + sizeof "Content-Type:" + 2;
    text += sizeof "User-Agent: " + user_agent.len;
    for (size_t i = 0; i < r->header_count; i++)
        text += r->headers[i].name.len + r->headers[i].value.len + sizeof ": ";
    for (size_t i = 0; i < r->body_count; i++)
        t->body_bytes += r->body[i].len;
    t->has_body = t->body_bytes > 0 || takes_body(r->method);
    if (t->body_bytes <= JOIN_BYTES_MAX) text += t->body_bytes;

    size_t nodes_size = (r->header_count + 3) * sizeof(struct curl_slist);
    size_t pieces_size = t->body_bytes > JOIN_BYTES_MAX ? r->body_count * sizeof(struct slice) : 0;
    t->block = mem_alloc(nodes_size + pieces_size + text);
    char *at = t->block + nodes_size + pieces_size;
    t->url = put(&at, r->url);
    t->method = put(&at, r->method);
    put_headers(t, (struct curl_slist *)(void *)t->block, r, user_agent, &at);
    put_body(t, r, &at);
    if (pieces_size) {
        t->pieces = (struct slice *)(void *)(t->block + nodes_size);
        t->piece_count = r->body_count;
        memcpy(t->pieces, r->body, pieces_size);
    }
    return true;
}

void fetch_text_clear(struct fetch_text *t)
{
    mem_free(t->block);
    *t = (struct fetch_text){0};
}

size_t fetch_text_read(struct fetch_text *t, char *to, size_t len)
{
    size_t done = 0;
    while (done < len && t->piece_now < t->piece_count) {
        struct slice piece = t->pieces[t->piece_now];
        size_t part = piece.len - t->piece_at;
        if (part > len - done) part = len - done;
        if (part) memcpy(to + done, piece.ptr + t->piece_at, part);
        done += part;
        t->piece_at += part;
        if (t->piece_at == piece.len) {
            t->piece_now++;
            t->piece_at = 0;
        }
    }
    return done;
}

bool fetch_text_seek(struct fetch_text *t, uint64_t offset)
{
    for (size_t i = 0; i < t->piece_count; i++) {
        if (offset < t->pieces[i].len) {
            t->piece_now = i;
            t->piece_at = (size_t)offset;
            return true;
        }
        offset -= t->pieces[i].len;
    }
    t->piece_now = t->piece_count;
    t->piece_at = 0;
    return offset == 0;
}

bool fetch_text_is_sent(const struct fetch_text *t)
{
    return t->piece_now == t->piece_count;
}

void fetch_url_host(struct slice url, char *host, size_t size)
{
    struct slice rest = url;
    for (size_t i = 0; i + 3 <= url.len; i++) {
        if (memcmp(url.ptr + i, "://", 3) == 0) {
            rest = slice_of(url.ptr + i + 3, url.len - i - 3);
            break;
        }
    }
    size_t end = 0, start = 0;
    while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?' && rest.ptr[end] != '#')
        end++;
    for (size_t i = 0; i < end; i++) {
        if (rest.ptr[i] == '@') start = i + 1;
    }
    snprintf(host, size, "%.*s", SLICE_FMT(slice_of(rest.ptr + start, end - start)));
    if (!*host) snprintf(host, size, "?");
}
