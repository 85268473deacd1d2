#include "coding.h"

#include <string.h>

#define STORED_MAX 65535u

void coding_line_ends(struct buf *text, const char *kind)
{
    struct slice end = {0};
    struct buf changed;
    if (kind && strcmp(kind, "crlf") == 0) end = SLICE("\r\n");
    if (kind && strcmp(kind, "cr") == 0) end = SLICE("\r");
    if (!end.ptr) return;
    buf_init(&changed);
    for (size_t i = 0; i < buf_len(text); i++) {
        char c = buf_ptr(text)[i];
        buf_append(&changed, c == '\n' ? end : slice_of(&c, 1));
    }
    buf_reset(text);
    buf_append(text, buf_slice(&changed));
    buf_clear(&changed);
}

static void append_le(struct buf *out, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        buf_append_char(out, (char)(value >> (8 * i)));
}

void gzip_begin(struct gzip *z, struct buf *out)
{
    z->crc = 0xffffffffu;
    z->len = 0;
    buf_append(out, SLICE("\x1f\x8b\x08\0\0\0\0\0\0\xff"));
}

static void add_stored(struct gzip *z, struct buf *out, struct slice bytes)
{
    buf_append_char(out, 0); /* a stored block, not the last */
    append_le(out, (uint32_t)bytes.len, 2);
    append_le(out, ~(uint32_t)bytes.len, 2);
    buf_append(out, bytes);
    for (size_t i = 0; i < bytes.len; i++) {
        z->crc ^= (unsigned char)bytes.ptr[i];
        for (int bit = 0; bit < 8; bit++)
            z->crc = (z->crc >> 1) ^ (z->crc & 1 ? 0xedb88320u : 0);
    }
    z->len += (uint32_t)bytes.len;
}

void gzip_add(struct gzip *z, struct buf *out, struct slice bytes)
{
    while (bytes.len) {
        size_t len = bytes.len < STORED_MAX ? bytes.len : STORED_MAX;
        add_stored(z, out, slice_of(bytes.ptr, len));
        bytes = slice_of(bytes.ptr + len, bytes.len - len);
    }
}

void gzip_end(struct gzip *z, struct buf *out)
{
    buf_append(out, SLICE("\x01\0\0\xff\xff"));
    append_le(out, ~z->crc, 4);
    append_le(out, z->len, 4);
}
