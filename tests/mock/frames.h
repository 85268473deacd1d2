/*
 * application/vnd.amazon.eventstream, written: a frame is its lengths and their CRC, headers, payload, a CRC of all.
 *
 *     frames_append(&out, "event", "chunk", payload);                 // :message-type, and the type under its name
 *     frames_append_chunk(&out, event);                               // {"bytes": base64 of it, "p": padding}
 *
 * Source: Smithy, "Amazon Event Stream Specification".
 */
#ifndef MOONGATE_MOCK_FRAMES_H
#define MOONGATE_MOCK_FRAMES_H

#include "base/buf.h"

#define FRAMES_TYPE "application/vnd.amazon.eventstream"

/* message: "event" or "exception". */
void frames_append(struct buf *out, const char *message, const char *type, struct slice payload);
void frames_append_chunk(struct buf *out, struct slice event);
/* The last byte of what was written, and with it its CRC, becomes another. */
void frames_break(struct buf *out);

#endif
