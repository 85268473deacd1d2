/*
 * Server-sent events for clients, one at a time in one buffer.
 *
 *     event_begin(&text, "message_stop");              // NULL: it has no name
 *     buf_append(&text, SLICE("{\"type\":\"message_stop\"}"));
 *     return event_end(&text, "message_stop", fn, arg);
 *
 * What is written between has no line ends. The event is borrowed for fn's call.
 */
#ifndef MOONGATE_WIRE_TRANSLATE_EVENT_H
#define MOONGATE_WIRE_TRANSLATE_EVENT_H

#include "base/buf.h"
#include "wire/translate/answers.h"

void event_begin(struct buf *text, const char *name);
bool event_end(struct buf *text, const char *name, answer_event_fn fn, void *arg);
/* A comment: clients read over it. */
bool event_comment(struct buf *text, struct slice comment, answer_event_fn fn, void *arg);
/* A whole answer, which is no event but its data. */
bool event_body(struct buf *text, answer_event_fn fn, void *arg);
/* What a dialect writes of an error (write_event_error): an event or several, each of one line of data, one by one. */
bool event_errors(struct buf *text, answer_event_fn fn, void *arg);

#endif
