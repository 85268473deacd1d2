/*
 * Masks and restores in whole answers and in streams of events, and leaves every other byte as it came.
 *
 *     if (redact_answer(r, body, &out)) ... out instead of body ...
 *
 *     struct redact_stream *s = redact_stream_new(r);
 *     if (!redact_stream_event(s, event, on_out, job, &why)) ...   // events come out whole, in order, maybe later
 *     redact_stream_flush(s, on_out, job);                         // all that is held, before an end or an error
 *     redact_stream_free(s);
 *
 * An event waits until what its text may become is known; then it goes out as it came, or with the changed strings in
 * it and nothing else touched. It waits for more text of the same choice and field, for the choice's finish reason, for
 * text in another field of that choice, for LIMIT_REDACT_QUEUE_BYTES behind it, or for the flush. An event without text
 * and with nothing before it never waits. Events without data (comments) overtake those that wait.
 *
 * Read are the strings of "choices" and of "error": content, refusals, reasoning, arguments of tools, whatever they are
 * called, but no names of the format, no signatures, no audio. Where something of a choice was masked, its `logprobs`
 * become null: they spell the text once more. What is no JSON is taken for one text, byte by byte.
 * Source: OpenAI API reference, chat and completions, objects and their chunks.
 */
#ifndef MOONGATE_WIRE_REDACT_ANSWER_H
#define MOONGATE_WIRE_REDACT_ANSWER_H

#include "base/buf.h"
#include "base/fault.h"
#include "wire/redact.h"
#include "wire/sse.h"

/* True when something was changed: the new body is appended to out. */
bool redact_answer(struct redact *r, struct slice body, struct buf *out);

struct redact_stream;
/* is_tail: of an event that no blank line ended. */
typedef void (*redact_out_fn)(void *arg, struct slice bytes, bool is_tail);

/* Borrows r. */
struct redact_stream *redact_stream_new(struct redact *r);
void redact_stream_free(struct redact_stream *s); /* NULL is welcome */
/* The pieces of a large event (is_raw) are put together up to LIMIT_REDACT_EVENT_BYTES. False, with
 * FAULT_UPSTREAM_PROTOCOL in *why: it is larger, or is spread over several data lines, or this is an answer of more than
 * LIMIT_REDACT_TEXTS texts; the event is dropped. */
bool redact_stream_event(struct redact_stream *s, const struct sse_event *event, redact_out_fn out, void *arg,
                         struct fault *why);
void redact_stream_flush(struct redact_stream *s, redact_out_fn out, void *arg);

#endif
