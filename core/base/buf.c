#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/utf8.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define BUF_FIRST_BYTES 256

void buf_init(struct buf *b)
{
    *b = (struct buf){0};
}

void buf_init_small(struct buf *b, size_t cap)
{
    *b = (struct buf){.data = mem_alloc(cap), .cap = cap};
}

void buf_clear(struct buf *b)
{
    mem_free(b->data);
    buf_init(b);
}

void buf_reset(struct buf *b)
{
    b->start = b->end = 0;
}

/* Moving the live bytes to the front is tried before growing: a queue that is drained now and then stays small. */
void buf_make_room(struct buf *b, size_t len)
{
    size_t live = buf_len(b);
    if (b->start >= live && b->cap - live >= len) {
        if (live) memcpy(b->data, b->data + b->start, live);
    } else {
        size_t cap = b->cap ? b->cap : BUF_FIRST_BYTES;
        while (cap - live < len) {
            check(cap <= SIZE_MAX / 2);
            cap *= 2;
        }
        char *data = mem_alloc(cap);
        if (live) memcpy(data, b->data + b->start, live);
        mem_free(b->data);
        b->data = data;
        b->cap = cap;
    }
    b->start = 0;
    b->end = live;
}

void buf_grew(struct buf *b, size_t len)
{
    check(len <= b->cap - b->end);
    b->end += len;
}

/* By realloc(), which moves a large one without a copy. */
static bool try_to_hold(struct buf *b, size_t len, size_t most)
{
    size_t cap = b->cap ? b->cap : BUF_FIRST_BYTES;
    if (len > SIZE_MAX / 4) return false;
    while (cap < len)
        cap *= 2;
    if (cap > most && len <= most) cap = most;
    char *data = mem_try_realloc(b->data, cap);
    if (!data) return false;
    b->data = data;
    b->cap = cap;
    return true;
}

bool buf_try_append(struct buf *b, struct slice s, size_t most)
{
    if (s.len == 0) return true;
    if (b->start && b->cap - b->end < s.len) {
        memmove(b->data, b->data + b->start, buf_len(b));
        b->end -= b->start;
        b->start = 0;
    }
    if (b->cap - b->end < s.len && !try_to_hold(b, b->end + s.len, most)) return false;
    memcpy(b->data + b->end, s.ptr, s.len);
    b->end += s.len;
    return true;
}

void buf_append_u64(struct buf *b, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    buf_append(b, slice_of(digits + at, sizeof digits - at));
}

static size_t append_json_char(struct buf *b, const unsigned char *p, size_t left)
{
    static const char shorts[] = "btn\0fr"; /* U+0008 … U+000D, without U+000B */
    size_t len = utf8_char_len(p, left);
    if (len == 0) {
        buf_append(b, SLICE("\xEF\xBF\xBD"));
        return 1;
    }
    if (*p == '"' || *p == '\\') {
        buf_append_char(b, '\\');
        buf_append_char(b, (char)*p);
    } else if (*p >= 0x08 && *p <= 0x0D && *p != 0x0B) {
        buf_append_char(b, '\\');
        buf_append_char(b, shorts[*p - 0x08]);
    } else if (*p < 0x20 || *p == 0x7F) {
        buf_printf(b, "\\u%04x", *p);
    } else {
        buf_append(b, slice_of((const char *)p, len));
    }
    return len;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

#ifdef __SSE2__
/* A bit for each byte that is not is_plain(). Compared as signed numbers, bytes from 0x80 on are below a space. */
static inline unsigned stops_of(__m128i bytes)
{
    __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)), del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F));
    __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, del), _mm_or_si128(quote, slash)));
}

static inline unsigned stops_in_16(const unsigned char *p)
{
    return stops_of(_mm_loadu_si128((const __m128i *)(const void *)p));
}

static inline unsigned stops_in_8(const unsigned char *p)
{
    return stops_of(_mm_loadl_epi64((const __m128i *)(const void *)p)) & 0xFF;
}
#endif

/* How many bytes from p on are plain. Most texts are ids and names of 8 to 40 bytes: their last bytes are looked at
 * with some of those before, which costs less than a loop over the rest. */
static size_t plain_run(const unsigned char *p, size_t len)
{
    size_t at = 0;
#ifdef __SSE2__
    for (; len - at >= 16; at += 16) {
        unsigned stops = stops_in_16(p + at);
        if (stops) return at + (size_t)__builtin_ctz(stops);
    }
    if (len >= 16) {
        unsigned stops = stops_in_16(p + len - 16);
        return stops ? len - 16 + (size_t)__builtin_ctz(stops) : len;
    }
    if (len >= 8) {
        unsigned stops = stops_in_8(p) | stops_in_8(p + len - 8) << (len - 8);
        return stops ? (size_t)__builtin_ctz(stops) : len;
    }
#endif
    while (at < len && is_plain(p[at]))
        at++;
    return at;
}

void buf_append_json(struct buf *b, struct slice s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    size_t at = 0;
    buf_reserve(b, s.len + 2);
    buf_append_char(b, '"');
    while (at < s.len) {
        size_t run = plain_run(p + at, s.len - at);
        buf_append(b, slice_of(s.ptr + at, run));
        at += run;
        if (at < s.len) at += append_json_char(b, p + at, s.len - at);
    }
    buf_append_char(b, '"');
}

void buf_vprintf(struct buf *b, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    check(len >= 0);
    char *to = buf_reserve(b, (size_t)len + 1);
    vsnprintf(to, (size_t)len + 1, format, again);
    va_end(again);
    b->end += (size_t)len;
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vprintf(b, format, args);
    va_end(args);
}

void buf_consume(struct buf *b, size_t len)
{
    check(len <= buf_len(b));
    b->start += len;
    if (b->start == b->end) b->start = b->end = 0;
}
