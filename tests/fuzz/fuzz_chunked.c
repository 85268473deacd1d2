/* Chunked bodies under libFuzzer: any cut of the input gives the same body, end and fault, and what is decoded, encoded
 * again, decodes to itself. The first byte seeds the cuts; the rest is the body. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "wire/chunked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    enum chunked_result result;
    struct buf body;
    size_t consumed;
    struct fault why;
};

/* One piece, at an address of its own. */
static void feed(struct chunked *c, const uint8_t *data, size_t len, struct outcome *o)
{
    char *copy = mem_alloc(len ? len : 1);
    memcpy(copy, data, len);
    struct slice rest = slice_of(copy, len), body;
    while ((o->result = chunked_next(c, &rest, &body, &o->why)) == CHUNKED_BODY) {
        check(body.len > 0 && body.ptr >= copy && body.ptr + body.len <= copy + len);
        buf_append(&o->body, body);
    }
    if (o->result == CHUNKED_MORE) check(rest.len == 0);
    o->consumed += len - rest.len;
    mem_free(copy);
}

/* 0: all at once. */
static void decode(const uint8_t *data, size_t size, uint32_t seed, struct outcome *o)
{
    struct chunked c;
    chunked_init(&c);
    *o = (struct outcome){.result = CHUNKED_MORE};
    for (size_t at = 0; at < size && o->result == CHUNKED_MORE;) {
        seed = seed ? seed * 1664525u + 1013904223u : 0;
        size_t len = seed ? 1 + (seed >> 12 & (seed & 0x80000000u ? 1 : 31)) : size;
        if (len > size - at) len = size - at;
        feed(&c, data + at, len, o);
        at += len;
    }
}

static void check_round_trip(const struct outcome *o)
{
    struct buf b = {0};
    struct outcome again;
    char head[CHUNKED_HEAD_BYTES];
    size_t len = buf_len(&o->body);
    if (len) {
        buf_append(&b, slice_of(head, chunked_head(head, len)));
        buf_append(&b, buf_slice(&o->body));
        buf_append(&b, CHUNKED_TAIL);
    }
    buf_append(&b, CHUNKED_LAST);
    decode((const uint8_t *)buf_ptr(&b), buf_len(&b), 0, &again);
    check(again.result == CHUNKED_END && slice_equal(buf_slice(&o->body), buf_slice(&again.body)));
    buf_clear(&b);
    buf_clear(&again.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    uint32_t seed = data[0] * 2654435761u | 1u;
    struct outcome whole, cut;
    data++, size--;
    decode(data, size, 0, &whole);
    decode(data, size, seed, &cut);
    check(whole.result == cut.result && whole.consumed == cut.consumed);
    check(slice_equal(buf_slice(&whole.body), buf_slice(&cut.body)));
    check(whole.why.code == cut.why.code && strcmp(whole.why.text, cut.why.text) == 0);
    if (whole.result == CHUNKED_END) check_round_trip(&whole);
    buf_clear(&whole.body);
    buf_clear(&cut.body);
    return 0;
}
