/*
 * What is done to a body between the answer and the wire: line ends, and gzip without compression.
 *
 *     coding_line_ends(&event, "crlf");
 *     struct gzip z; gzip_begin(&z, &out); gzip_add(&z, &out, bytes); gzip_end(&z, &out);
 *
 * The gzip stream is valid (RFC 1952) and made of stored blocks, one for each gzip_add(), so a reader that decodes
 * as it goes can deliver each event at once.
 */
#ifndef MOONGATE_MOCK_CODING_H
#define MOONGATE_MOCK_CODING_H

#include <stdint.h>

#include "base/buf.h"

struct gzip {
    uint32_t crc, len;
};

/* Every LF becomes "crlf" or "cr"; anything else, NULL too, leaves it. */
void coding_line_ends(struct buf *text, const char *kind);
void gzip_begin(struct gzip *z, struct buf *out);
void gzip_add(struct gzip *z, struct buf *out, struct slice bytes);
void gzip_end(struct gzip *z, struct buf *out);

#endif
