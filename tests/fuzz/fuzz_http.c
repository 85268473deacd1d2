/* Request heads under libFuzzer: any cut of the input must give what the whole gives, and what is accepted must be free
 * of all that the parser promises to refuse. The first byte seeds the cuts; the rest is the head. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "wire/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct http_head whole_head, cut_head;

/* At an address of its own, so that the sanitizer sees a step too far. */
static enum http_result feed(struct http_parser *p, const uint8_t *data, size_t len, struct http_head *head,
                             struct fault *why, char **copy)
{
    *copy = mem_alloc(len ? len : 1);
    memcpy(*copy, data, len);
    return http_parse(p, slice_of(*copy, len), head, why);
}

static void check_same(struct slice a, struct slice b)
{
    check(slice_equal(a, b));
}

static void check_same_head(void)
{
    check_same(whole_head.method, cut_head.method);
    check_same(whole_head.target, cut_head.target);
    check_same(whole_head.path, cut_head.path);
    check_same(whole_head.query, cut_head.query);
    check_same(whole_head.host, cut_head.host);
    check(whole_head.minor == cut_head.minor);
    check(whole_head.content_length == cut_head.content_length);
    check(whole_head.is_chunked == cut_head.is_chunked);
    check(whole_head.keep_alive == cut_head.keep_alive);
    check(whole_head.expect_continue == cut_head.expect_continue);
    check(whole_head.header_count == cut_head.header_count);
    for (size_t i = 0; i < whole_head.header_count; i++) {
        check_same(whole_head.headers[i].name, cut_head.headers[i].name);
        check_same(whole_head.headers[i].value, cut_head.headers[i].value);
    }
}

/* What a second reader of the same bytes could take differently must not be in an accepted head. */
static void check_clean(const char *bytes, size_t len)
{
    size_t lengths = 0, codings = 0, hosts = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        check(c != '\0');
        if (c == '\n') check(i > 0 && bytes[i - 1] == '\r');
        if (c == '\r') check(i + 1 < len && bytes[i + 1] == '\n');
        if (c == '\n' && i + 1 < len) check(bytes[i + 1] != ' ' && bytes[i + 1] != '\t');
    }
    for (size_t i = 0; i < whole_head.header_count; i++) {
        struct slice name = whole_head.headers[i].name;
        check(http_is_token(name) && http_is_field_value(whole_head.headers[i].value));
        check(name.ptr[name.len] == ':');
        lengths += slice_iequal(name, SLICE("content-length"));
        codings += slice_iequal(name, SLICE("transfer-encoding"));
        hosts += slice_iequal(name, SLICE("host"));
    }
    check(lengths <= 1 && codings <= 1 && lengths + codings <= 1 && hosts <= 1);
    check(hosts == 1 || whole_head.minor == 0);
    check((whole_head.content_length >= 0) == (lengths == 1) && whole_head.is_chunked == (codings == 1));
    check(whole_head.path.len > 0 && (whole_head.path.ptr[0] == '/' || whole_head.path.ptr[0] == '*'));
}

/* Pieces of 1 … 16 bytes, or of 1 … 1024, as the seed says. */
static size_t next_cut(uint32_t *seed)
{
    uint32_t mask = *seed & 0x80000000u ? 1023 : 15;
    *seed = *seed * 1664525u + 1013904223u;
    return 1 + (*seed >> 12 & mask);
}

static void check_cut(const uint8_t *data, size_t size, uint32_t seed, enum http_result want, const struct fault *why,
                      size_t head_bytes)
{
    struct http_parser p;
    struct fault other = {0};
    enum http_result result = HTTP_MORE;
    char *copy = NULL;
    http_parser_init(&p);
    for (size_t len = 0; result == HTTP_MORE;) {
        mem_free(copy);
        result = feed(&p, data, len, &cut_head, &other, &copy);
        if (len == size) break;
        len += seed ? next_cut(&seed) : 1;
        if (len > size) len = size;
    }
    check(result == want);
    if (want == HTTP_BAD) check(other.code == why->code && strcmp(other.text, why->text) == 0);
    if (want == HTTP_DONE) {
        check(p.head_bytes == head_bytes);
        check_same_head();
    }
    mem_free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    uint32_t seed = data[0] * 2654435761u | 1u;
    struct http_parser p;
    struct fault why = {0};
    char *copy;
    data++, size--;
    http_parser_init(&p);
    enum http_result result = feed(&p, data, size, &whole_head, &why, &copy);
    if (result == HTTP_DONE) {
        check(p.head_bytes <= size && p.head_bytes <= HTTP_HEAD_BYTES_MAX);
        check_clean(copy, p.head_bytes);
    }
    if (result == HTTP_MORE) check(size < HTTP_HEAD_BYTES_MAX);
    if (result == HTTP_BAD) check(why.text[0] != '\0' && fault_info(why.code)->status >= 400);
    check_cut(data, size, seed, result, &why, p.head_bytes);
    if (size < 512) check_cut(data, size, 0, result, &why, p.head_bytes);
    mem_free(copy);
    return 0;
}
