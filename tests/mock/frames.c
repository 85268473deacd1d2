#include "frames.h"

#include <openssl/evp.h>
#include <stdint.h>

static void append_be(struct buf *out, uint32_t value, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        buf_append_char(out, (char)(value >> (8 * i)));
}

static uint32_t crc_of(struct slice bytes)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (unsigned char)bytes.ptr[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void append_header(struct buf *out, const char *name, const char *value)
{
    struct slice n = slice_str(name), v = slice_str(value);
    append_be(out, (uint32_t)n.len, 1);
    buf_append(out, n);
    append_be(out, 7, 1); /* a string */
    append_be(out, (uint32_t)v.len, 2);
    buf_append(out, v);
}

void frames_append(struct buf *out, const char *message, const char *type, struct slice payload)
{
    struct buf headers, frame;
    char name[32];
    buf_init(&headers);
    buf_init(&frame);
    snprintf(name, sizeof name, ":%s-type", message);
    append_header(&headers, name, type);
    append_header(&headers, ":content-type", "application/json");
    append_header(&headers, ":message-type", message);
    append_be(&frame, (uint32_t)(16 + buf_len(&headers) + payload.len), 4);
    append_be(&frame, (uint32_t)buf_len(&headers), 4);
    append_be(&frame, crc_of(buf_slice(&frame)), 4);
    buf_append(&frame, buf_slice(&headers));
    buf_append(&frame, payload);
    append_be(&frame, crc_of(buf_slice(&frame)), 4);
    buf_append(out, buf_slice(&frame));
    buf_clear(&headers);
    buf_clear(&frame);
}

void frames_append_chunk(struct buf *out, struct slice event)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    struct buf payload, text;
    buf_init(&payload);
    buf_init(&text);
    int len = EVP_EncodeBlock((unsigned char *)buf_reserve(&text, event.len / 3 * 4 + 8),
                              (const unsigned char *)event.ptr, (int)event.len);
    buf_printf(&payload, "{\"bytes\":\"%.*s\",\"p\":\"%.*s\"}", len, text.data, (int)(event.len % sizeof letters),
               letters);
    frames_append(out, "event", "chunk", buf_slice(&payload));
    buf_clear(&payload);
    buf_clear(&text);
}

void frames_break(struct buf *out)
{
    buf_ptr(out)[buf_len(out) - 1] ^= 1;
}
