/*
 * Incremental parser of application/vnd.amazon.eventstream, the frames that AWS streams in: lengths and their CRC,
 * headers, a payload, the CRC of it all.
 *
 *     struct eventstream *es = eventstream_new();
 *     if (!eventstream_feed(es, bytes, on_message, arg, &why)) ...   // broken: why says what, and where
 *     ... eventstream_header(message, SLICE(":event-type"), &type) ...
 *     if (eventstream_held_bytes(es)) ...                            // the end came in the middle of a message
 *     eventstream_free(es);
 *
 * The messages do not depend on how the input was cut; one that lies inside one fed span is not copied. Nothing of a
 * message is told before its last byte has come and both sums are right; behind a broken one nothing can be found
 * again, so nothing more is. A message is at most LIMIT_EVENTSTREAM_BYTES; of a length that says more nothing is waited
 * for, nor is memory taken before its bytes are there. Between messages the parser holds none.
 * Source: Amazon Transcribe developer guide, "Event stream encoding"; Smithy, "Amazon Event Stream Specification".
 */
#ifndef MOONGATE_WIRE_EVENTSTREAM_H
#define MOONGATE_WIRE_EVENTSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/slice.h"

struct eventstream;

/* Borrowed until on_message returns. */
struct eventstream_message {
    struct slice headers; /* as they came, and well formed: eventstream_header() reads them */
    struct slice payload;
};

/* False: nobody hears more of it. Must not call back into the same parser. */
typedef bool (*eventstream_fn)(void *arg, const struct eventstream_message *message);

struct eventstream *eventstream_new(void);
void eventstream_free(struct eventstream *es); /* NULL is welcome */
/* False: FAULT_UPSTREAM_STREAM, now and for all that follows; or on_message did, and why->code is FAULT_NONE. */
bool eventstream_feed(struct eventstream *es, struct slice bytes, eventstream_fn on_message, void *arg,
                      struct fault *why);
/* Of a message that is not whole. */
size_t eventstream_held_bytes(const struct eventstream *es);
/* The value of the first header of that name, where it is a string; false: there is none. */
bool eventstream_header(const struct eventstream_message *message, struct slice name, struct slice *value);

#endif
