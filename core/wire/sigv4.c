#include "wire/sigv4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <strings.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/hex.h"
#include "wire/http.h"

#define HASH_BYTES 32
#define HEX_BYTES (2 * HASH_BYTES + 1)
#define DATE_BYTES 17 /* "20150830T123600Z" and its NUL */
#define DAY_BYTES 8
#define QUERY_PAIRS_MAX 32u

/* --- the clock and the hashes --- */

static void format_date(uint64_t wall_ns, char date[DATE_BYTES])
{
    char text[CLOCK_TEXT_BYTES];
    size_t len = 0;
    clock_format(wall_ns, text);
    for (size_t i = 0; text[i] != '.'; i++) {
        if (text[i] != '-' && text[i] != ':') date[len++] = text[i];
    }
    date[len++] = 'Z';
    date[len] = '\0';
}

static void hash_pieces(const struct slice *pieces, size_t count, char hex[HEX_BYTES])
{
    uint8_t digest[HASH_BYTES];
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    check(md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1);
    for (size_t i = 0; i < count; i++)
        check(EVP_DigestUpdate(md, pieces[i].ptr, pieces[i].len) == 1);
    check(EVP_DigestFinal_ex(md, digest, NULL) == 1);
    EVP_MD_CTX_free(md);
    hex_write(digest, HASH_BYTES, hex);
}

static void sign(uint8_t mac[HASH_BYTES], const uint8_t *key, size_t key_bytes, struct slice text)
{
    uint8_t out[HASH_BYTES];
    unsigned len;
    check(HMAC(EVP_sha256(), key, (int)key_bytes, (const unsigned char *)text.ptr, text.len, out, &len) != NULL);
    memcpy(mac, out, HASH_BYTES);
}

/* --- the path and the query --- */

/* Behind scheme and authority. */
static struct slice split_url(struct slice url, struct slice *host, struct slice *query)
{
    bool is_tls = slice_starts(url, SLICE("https://"));
    struct slice rest = slice_of(url.ptr + (is_tls ? 8 : 7), url.len - (is_tls ? 8 : 7)), port;
    size_t end = 0;
    while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?')
        end++;
    *host = slice_of(rest.ptr, end);
    port = is_tls ? SLICE(":443") : SLICE(":80");
    if (end > port.len && slice_equal(slice_of(rest.ptr + end - port.len, port.len), port)) host->len -= port.len;
    return slice_split(slice_of(rest.ptr + end, rest.len - end), '?', query);
}

static void drop_last(struct buf *out, size_t start)
{
    size_t len = buf_len(out);
    while (len > start && buf_ptr(out)[len - 1] != '/')
        len--;
    out->end -= buf_len(out) - (len > start ? len - 1 : start);
}

/* Without empty segments and those that only lead elsewhere; each encoded over what the URL has. */
static void add_path(struct buf *out, struct slice path)
{
    bool is_open = path.len && path.ptr[path.len - 1] == '/';
    size_t start = buf_len(out);
    struct slice rest = path;
    while (rest.len) {
        struct slice segment = slice_split(rest, '/', &rest);
        if (slice_equal(segment, SLICE(".."))) drop_last(out, start);
        if (!segment.len || slice_equal(segment, SLICE(".")) || slice_equal(segment, SLICE(".."))) continue;
        buf_append_char(out, '/');
        http_encode_segment(out, segment);
    }
    if (is_open || buf_len(out) == start) buf_append_char(out, '/');
}

static bool is_kept(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~%", c));
}

/* It is encoded already; what nobody should have left stands for itself. */
static void add_encoded(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (is_kept(text.ptr[i]))
            buf_append_char(out, text.ptr[i]);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)text.ptr[i]);
    }
}

static int compare_slices(struct slice a, struct slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.ptr, b.ptr, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_pairs(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;
    int order = compare_slices(x[0], y[0]);
    return order ? order : compare_slices(x[1], y[1]);
}

static void add_query(struct buf *out, struct slice query)
{
    struct slice pairs[QUERY_PAIRS_MAX][2];
    size_t count = 0;
    while (query.len && count < QUERY_PAIRS_MAX) {
        struct slice one = slice_split(query, '&', &query);
        pairs[count][0] = slice_split(one, '=', &pairs[count][1]);
        count++;
    }
    check(!query.len);
    qsort(pairs, count, sizeof pairs[0], compare_pairs);
    for (size_t i = 0; i < count; i++) {
        if (i) buf_append_char(out, '&');
        add_encoded(out, pairs[i][0]);
        buf_append_char(out, '=');
        add_encoded(out, pairs[i][1]);
    }
}

/* --- the headers --- */

struct signed_headers {
    struct sigv4_header all[SIGV4_HEADERS_MAX + 2];
    size_t count;
};

static int compare_names(struct slice a, struct slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = strncasecmp(a.ptr, b.ptr, len);
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Behind all whose names are not greater: those of one name stay in their order. */
static void insert(struct signed_headers *h, struct slice name, struct slice value)
{
    size_t at = h->count++;
    for (; at > 0 && compare_names(h->all[at - 1].name, name) > 0; at--)
        h->all[at] = h->all[at - 1];
    h->all[at] = (struct sigv4_header){name, value};
}

static void add_lower(struct buf *out, struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        buf_append_char(out, c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c);
    }
}

/* Of a run of blanks one stays. */
static void add_value(struct buf *out, struct slice value)
{
    value = slice_trim(value);
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] != ' ' || value.ptr[i - 1] != ' ') buf_append_char(out, value.ptr[i]);
    }
}

static bool is_again(const struct signed_headers *h, size_t i)
{
    return i > 0 && slice_iequal(h->all[i].name, h->all[i - 1].name);
}

static void add_headers(struct buf *out, const struct signed_headers *h)
{
    for (size_t i = 0; i < h->count; i++) {
        if (i) buf_append_char(out, is_again(h, i) ? ',' : '\n');
        if (!is_again(h, i)) {
            add_lower(out, h->all[i].name);
            buf_append_char(out, ':');
        }
        add_value(out, h->all[i].value);
    }
    buf_append_char(out, '\n');
}

static void add_names(struct buf *out, const struct signed_headers *h)
{
    for (size_t i = 0; i < h->count; i++) {
        if (is_again(h, i)) continue;
        if (i) buf_append_char(out, ';');
        add_lower(out, h->all[i].name);
    }
}

static void collect(struct signed_headers *h, const struct sigv4_ask *ask, struct slice host, const char *date)
{
    check(ask->header_count <= SIGV4_HEADERS_MAX);
    h->count = 0;
    insert(h, SLICE("host"), host);
    insert(h, SLICE("x-amz-date"), slice_str(date));
    for (size_t i = 0; i < ask->header_count; i++)
        insert(h, ask->headers[i].name, ask->headers[i].value);
}

/* --- together --- */

static void add_canonical(struct buf *out, const struct sigv4_ask *ask, const char *date, struct buf *names)
{
    struct slice host, query, path = split_url(ask->url, &host, &query);
    struct signed_headers h;
    char hash[HEX_BYTES];
    collect(&h, ask, host, date);
    add_names(names, &h);
    buf_append(out, ask->method);
    buf_append_char(out, '\n');
    add_path(out, path);
    buf_append_char(out, '\n');
    add_query(out, query);
    buf_append_char(out, '\n');
    add_headers(out, &h);
    buf_append_char(out, '\n');
    buf_append(out, buf_slice(names));
    hash_pieces(ask->body, ask->body_count, hash);
    buf_printf(out, "\n%s", hash);
}

struct slice sigv4_canonical(const struct sigv4_ask *ask, struct arena *arena)
{
    char date[DATE_BYTES];
    struct buf out, names;
    buf_init(&out);
    buf_init(&names);
    format_date(ask->wall_ns, date);
    add_canonical(&out, ask, date, &names);
    struct slice text = arena_copy(arena, buf_slice(&out));
    buf_clear(&out);
    buf_clear(&names);
    return text;
}

/* HMAC by HMAC from the secret over the day, the region and the service: what is left is good for those alone. */
static void derive(const struct sigv4_keys *keys, struct slice day, uint8_t key[HASH_BYTES])
{
    struct buf secret;
    buf_init(&secret);
    buf_append(&secret, SLICE("AWS4"));
    buf_append(&secret, keys->secret_access_key);
    sign(key, (const uint8_t *)buf_ptr(&secret), buf_len(&secret), day);
    sign(key, key, HASH_BYTES, keys->region);
    sign(key, key, HASH_BYTES, keys->service);
    sign(key, key, HASH_BYTES, SLICE("aws4_request"));
    explicit_bzero(buf_ptr(&secret), buf_len(&secret));
    buf_clear(&secret);
}

static void sign_canonical(const struct sigv4_keys *keys, const char *date, struct slice scope, struct slice canonical,
                           char signature[HEX_BYTES])
{
    uint8_t key[HASH_BYTES], mac[HASH_BYTES];
    char hash[HEX_BYTES];
    struct buf text;
    hash_pieces(&canonical, 1, hash);
    buf_init(&text);
    buf_printf(&text, "AWS4-HMAC-SHA256\n%s\n%.*s\n%s", date, SLICE_FMT(scope), hash);
    derive(keys, slice_of(date, DAY_BYTES), key);
    sign(mac, key, HASH_BYTES, buf_slice(&text));
    explicit_bzero(key, sizeof key);
    hex_write(mac, HASH_BYTES, signature);
    buf_clear(&text);
}

struct sigv4_signed sigv4_sign(const struct sigv4_keys *keys, const struct sigv4_ask *ask, struct arena *arena)
{
    char date[DATE_BYTES], signature[HEX_BYTES];
    struct buf canonical, names;
    buf_init(&canonical);
    buf_init(&names);
    format_date(ask->wall_ns, date);
    add_canonical(&canonical, ask, date, &names);
    struct slice scope = arena_printf(arena, "%.*s/%.*s/%.*s/aws4_request", DAY_BYTES, date, SLICE_FMT(keys->region),
                                      SLICE_FMT(keys->service));
    sign_canonical(keys, date, scope, buf_slice(&canonical), signature);
    struct sigv4_signed s = {
        .date = arena_copy(arena, slice_str(date)),
        .authorization = arena_printf(arena, "AWS4-HMAC-SHA256 Credential=%.*s/%.*s, SignedHeaders=%.*s, Signature=%s",
                                      SLICE_FMT(keys->access_key_id), SLICE_FMT(scope), SLICE_FMT(buf_slice(&names)),
                                      signature)};
    buf_clear(&canonical);
    buf_clear(&names);
    return s;
}
