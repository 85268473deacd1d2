/*
 * The size of a picture that stands in the request, from its first bytes: no more is decoded than the header needs.
 * Sources: PNG (W3C, 11.2.2 IHDR), GIF89a (18), JPEG (ITU-T T.81, B.2.2), WebP (RFC 9649, 2.5 to 2.7).
 */
#include <string.h>

#include "base/limits.h"
#include "wire/count_inner.h"

#define SEGMENTS_MAX 128 /* before a JPEG's frame header */
#define SCHEME_BYTES 16u /* of a URL, with its colon */

/* The picture's bytes, decoded as they are asked for. */
struct reader {
    struct slice text; /* base64 that was not read yet */
    uint32_t bits;
    unsigned bit_count;
    size_t taken;
};

/* RFC 4648 4, and its URL alphabet; -1: no digit of it. */
static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+' || c == '-') return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

/* The next byte; -1 at the end, or when there was enough. Some write "/" as "\/";
 * nobody honest writes other escapes. */
static int next_byte(struct reader *r)
{
    while (r->text.len && r->taken < LIMIT_COUNT_IMAGE_BYTES) {
        char c = r->text.ptr[0];
        int value = base64_value(c);
        bool is_escape = c == '\\' && r->text.len > 1 && r->text.ptr[1] == '/';
        if (value < 0 && !is_escape) return -1;
        r->text = slice_of(r->text.ptr + 1, r->text.len - 1);
        if (is_escape) continue;
        r->bits = r->bits << 6 | (uint32_t)value;
        r->bit_count += 6;
        if (r->bit_count < 8) continue;
        r->bit_count -= 8;
        r->taken++;
        return (int)(r->bits >> r->bit_count & 0xFF);
    }
    return -1;
}

/* Whole groups at once where nothing is escaped: an embedded preview is long, and only its end is of interest. */
static bool skip_bytes(struct reader *r, size_t count)
{
    while (count > 0 && r->bit_count > 0) {
        if (next_byte(r) < 0) return false;
        count--;
    }
    size_t groups = count / 3;
    if (r->text.len / 4 < groups || r->taken + groups * 3 > LIMIT_COUNT_IMAGE_BYTES) return false;
    if (!memchr(r->text.ptr, '\\', groups * 4)) {
        r->text = slice_of(r->text.ptr + groups * 4, r->text.len - groups * 4);
        r->taken += groups * 3;
        count -= groups * 3;
    }
    for (; count > 0; count--) {
        if (next_byte(r) < 0) return false;
    }
    return true;
}

/* False: they are not all there. */
static bool read_bytes(struct reader *r, unsigned char *to, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int byte = next_byte(r);
        if (byte < 0) return false;
        to[i] = (unsigned char)byte;
    }
    return true;
}

static uint32_t big16(const unsigned char *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t little16(const unsigned char *p)
{
    return (uint32_t)p[1] << 8 | p[0];
}

static uint32_t little24(const unsigned char *p)
{
    return (uint32_t)p[2] << 16 | little16(p);
}

static bool is_frame_header(unsigned char marker)
{
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/* Behind the first marker: segments are passed over until a frame header. */
static bool jpeg_size(struct reader *r, uint32_t *width, uint32_t *height)
{
    unsigned char head[4], frame[5];
    for (int segments = 0; segments < SEGMENTS_MAX && read_bytes(r, head, 2); segments++) {
        while (head[0] == 0xFF && head[1] == 0xFF) {
            if (!read_bytes(r, head + 1, 1)) return false;
        }
        if (head[0] != 0xFF || !read_bytes(r, head + 2, 2)) return false;
        if (is_frame_header(head[1])) {
            if (!read_bytes(r, frame, 5)) return false;
            *height = big16(frame + 1);
            *width = big16(frame + 3);
            return true;
        }
        uint32_t length = big16(head + 2);
        if (length < 2 || !skip_bytes(r, length - 2)) return false;
    }
    return false;
}

/* p: the 30 bytes from RIFF on. */
static bool webp_size(const unsigned char *p, uint32_t *width, uint32_t *height)
{
    if (memcmp(p + 12, "VP8X", 4) == 0) {
        *width = little24(p + 24) + 1;
        *height = little24(p + 27) + 1;
    } else if (memcmp(p + 12, "VP8L", 4) == 0) {
        uint32_t bits = little16(p + 21) | little16(p + 23) << 16;
        *width = (bits & 0x3FFF) + 1;
        *height = (bits >> 14 & 0x3FFF) + 1;
    } else if (memcmp(p + 12, "VP8 ", 4) == 0) {
        *width = little16(p + 26) & 0x3FFF;
        *height = little16(p + 28) & 0x3FFF;
    } else {
        return false;
    }
    return true;
}

static bool read_size(struct reader *r, uint32_t *width, uint32_t *height)
{
    unsigned char p[30];
    if (!read_bytes(r, p, 2)) return false;
    if (p[0] == 0xFF && p[1] == 0xD8) return jpeg_size(r, width, height);
    if (!read_bytes(r, p + 2, 8)) return false;
    if (memcmp(p, "GIF8", 4) == 0) {
        *width = little16(p + 6);
        *height = little16(p + 8);
        return true;
    }
    if (memcmp(p, "\x89PNG\r\n\x1A\n", 8) == 0) {
        if (!read_bytes(r, p + 10, 14) || memcmp(p + 12, "IHDR", 4) != 0) return false;
        *width = big16(p + 16) << 16 | big16(p + 18);
        *height = big16(p + 20) << 16 | big16(p + 22);
        return true;
    }
    return memcmp(p, "RIFF", 4) == 0 && read_bytes(r, p + 10, 20) && memcmp(p + 8, "WEBP", 4) == 0 &&
           webp_size(p, width, height);
}

bool count_picture_size(struct slice url, uint32_t *width, uint32_t *height)
{
    struct slice rest = url;
    if (slice_starts(url, SLICE("data:")))
        slice_split(url, ',', &rest);
    else if (memchr(url.ptr, ':', url.len < SCHEME_BYTES ? url.len : SCHEME_BYTES))
        return false;
    struct reader r = {.text = rest};
    /* What no format allows, or no camera makes, is a lie: then the most is reserved. */
    return rest.len && read_size(&r, width, height) && *width > 0 && *height > 0 &&
           *width <= LIMIT_COUNT_IMAGE_PIXELS && *height <= LIMIT_COUNT_IMAGE_PIXELS;
}
