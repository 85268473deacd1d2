/*
 * The chunked transfer coding: a strict incremental decoder, and the encoder's chunk header.
 *
 *     struct chunked c;
 *     chunked_init(&c);
 *     for (;;) switch (chunked_next(&c, &bytes, &body, &why)) {   // advances bytes
 *     case CHUNKED_BODY: ... use body, a span of the input ... continue;
 *     case CHUNKED_MORE: ... bytes is empty: come again with what follows ...
 *     case CHUNKED_END:  ... what is left in bytes belongs to the next request ...
 *     case CHUNKED_BAD:  ... why ...
 *     }
 *
 * Never allocates, never copies. Extensions and trailers are checked and dropped. Bounds: sizes of 16 hexadecimal
 * digits under 2^63, LIMIT_CHUNK_EXT_BYTES of extension in one chunk and LIMIT_CHUNK_EXT_TOTAL_BYTES in a body,
 * LIMIT_TRAILERS_BYTES and LIMIT_TRAILERS_COUNT of trailers. Bounding the body is the caller's affair.
 * Source: RFC 9112 7.1.
 */
#ifndef MOONGATE_WIRE_CHUNKED_H
#define MOONGATE_WIRE_CHUNKED_H

#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/slice.h"

struct chunked {
    uint64_t left;      /* of the chunk being read */
    uint32_t ext_bytes; /* of this chunk's line */
    uint32_t ext_total;
    uint16_t trailer_bytes, trailer_count;
    uint8_t digits;
    uint8_t state;
};

enum chunked_result { CHUNKED_MORE, CHUNKED_BODY, CHUNKED_END, CHUNKED_BAD };

void chunked_init(struct chunked *c);
/* `body` is set on CHUNKED_BODY and never empty then; `why` on CHUNKED_BAD (FAULT_BAD_REQUEST). After CHUNKED_END and
 * CHUNKED_BAD the decoder is over. */
enum chunked_result chunked_next(struct chunked *c, struct slice *bytes, struct slice *body, struct fault *why);

#define CHUNKED_HEAD_BYTES 18 /* 16 digits and CRLF */
#define CHUNKED_TAIL SLICE("\r\n")
#define CHUNKED_LAST SLICE("0\r\n\r\n")
/* The line before a chunk of `len` > 0 bytes, after which CHUNKED_TAIL must follow; returns its length. */
size_t chunked_head(char text[CHUNKED_HEAD_BYTES], uint64_t len);

#endif
