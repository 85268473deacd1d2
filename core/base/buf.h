/*
 * A growing run of bytes with a first byte that moves: appended at the end, consumed from the front.
 *
 *     struct buf out;
 *     buf_init(&out);
 *     buf_append(&out, SLICE("data: "));
 *     buf_printf(&out, "%d", 42);
 *     ... write(fd, buf_ptr(&out), buf_len(&out)) ...
 *     buf_consume(&out, written);
 *     buf_clear(&out);
 *
 * Owns its memory. Slices into it are valid until the next call that appends or consumes.
 * Callers bound what they append; the buffer itself knows no maximum.
 */
#ifndef MOONGATE_BASE_BUF_H
#define MOONGATE_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct buf {
    char *data;
    size_t start; /* first live byte */
    size_t end;   /* one after the last live byte */
    size_t cap;
};

void buf_init(struct buf *b);
/* The same with room for so many bytes at first: for one that lives long and mostly holds little. */
void buf_init_small(struct buf *b, size_t cap);
/* Frees the memory; the buffer is empty and usable again. */
void buf_clear(struct buf *b);
/* Forgets the content, keeps the memory. */
void buf_reset(struct buf *b);

static inline size_t buf_len(const struct buf *b)
{
    return b->end - b->start;
}

static inline char *buf_ptr(const struct buf *b)
{
    return b->data + b->start;
}

static inline struct slice buf_slice(const struct buf *b)
{
    return slice_of(b->data ? b->data + b->start : "", buf_len(b));
}

/* Moves the live bytes or grows; what buf_reserve() does when there is no room behind them. */
void buf_make_room(struct buf *b, size_t len);

/* Room for at least `len` more bytes; returns where they go. Follow with buf_grew(). In the header, because records
 * and heads are written a few bytes at a time. */
static inline char *buf_reserve(struct buf *b, size_t len)
{
    if (b->cap - b->end < len || !b->data) buf_make_room(b, len);
    return b->data + b->end;
}

void buf_grew(struct buf *b, size_t len);

/* For bytes that a peer sends much of: false, and the buffer as it was, when there is no memory for them. `most`: how
 * long the whole will be, as far as is known; no more than that is taken. */
bool buf_try_append(struct buf *b, struct slice s, size_t most);

static inline void buf_append(struct buf *b, struct slice s)
{
    if (s.len == 0) return;
    memcpy(buf_reserve(b, s.len), s.ptr, s.len);
    b->end += s.len;
}

static inline void buf_append_char(struct buf *b, char c)
{
    *buf_reserve(b, 1) = c;
    b->end++;
}

void buf_append_u64(struct buf *b, uint64_t value);
/* As a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void buf_append_json(struct buf *b, struct slice s);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *format, va_list args);
void buf_consume(struct buf *b, size_t len);
/* Of what is appended the first len bytes stay; there are as many. */
static inline void buf_shorten(struct buf *b, size_t len)
{
    b->end = b->start + len;
}

#endif
