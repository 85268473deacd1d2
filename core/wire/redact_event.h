/*
 * An event with other data than it came with. Private to wire/redact_*.
 *
 *     size_t at;
 *     redact_event_write(&out, event, data, &at);      // appended; where its data stands in out
 */
#ifndef MOONGATE_WIRE_REDACT_EVENT_H
#define MOONGATE_WIRE_REDACT_EVENT_H

#include <stdbool.h>

#include "base/buf.h"
#include "wire/sse.h"

/* Does the part stand in the bytes of the whole? */
bool redact_event_has(struct slice whole, struct slice part);
/* `data` lines that JSON was spread over become one, for JSON needs no line ends; all else stays as it came. */
void redact_event_write(struct buf *out, const struct sse_event *event, struct slice data, size_t *at);

#endif
