/*
 * What Amazon Bedrock's runtime answers, as its dialect says it elsewhere: event streams (wire/eventstream.h) become
 * server-sent events, and errors that dialect's own.
 *
 *     struct bedrock *b = bedrock_new(dialect);
 *     if (!bedrock_feed(b, bytes, on_text, arg, &why)) ...        // on_text hears whole server-sent events
 *     bedrock_free(b);
 *     if (bedrock_write_error(dialect, status, type, body, &out)) ... // out: what the body becomes
 *
 * Of InvokeModelWithResponseStream a "chunk" holds an event of the model's own API, byte for byte, and its name is the
 * event's "type". Of ConverseStream an event is named by its :event-type, and its data is the payload. Exceptions are
 * the provider's errors: in a dialect that has words for them an error event of it (wire/translate/failure.h), else
 * named as they are, "throttlingException", or "error" where that is no exception's name. Nothing is made up, an end
 * least of all.
 * Source: Amazon Bedrock API reference, InvokeModelWithResponseStream, ConverseStream, "Common error types".
 */
#ifndef MOONGATE_WIRE_BEDROCK_H
#define MOONGATE_WIRE_BEDROCK_H

#include "base/buf.h"
#include "base/fault.h"
#include "wire/dialect.h"

struct bedrock;

/* Borrowed until it returns. False: nobody hears more of it. */
typedef bool (*bedrock_text_fn)(void *arg, struct slice text);

struct bedrock *bedrock_new(const struct dialect *spoken);
void bedrock_free(struct bedrock *b); /* NULL is welcome */
/* False: FAULT_UPSTREAM_STREAM, now and from now on; or on_text did, and why->code is FAULT_NONE. */
bool bedrock_feed(struct bedrock *b, struct slice bytes, bedrock_text_fn on_text, void *arg, struct fault *why);
/* Of an event that is not whole. */
size_t bedrock_held_bytes(const struct bedrock *b);
/* A body with an error status; type: its x-amzn-errortype, which is told where nothing else is. False, and nothing is
 * written: it is not in Amazon's form, and stays as it is. */
bool bedrock_write_error(const struct dialect *spoken, int status, struct slice type, struct slice body,
                         struct buf *out);

#endif
