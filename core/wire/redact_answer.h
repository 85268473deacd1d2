/*
 * Masks and restores in whole answers and in streams of events, and leaves every other byte as it came.
 *
 *     if (redact_answer(r, &said, &out, texts)) ... out instead of said.json ...
 *
 *     struct redact_stream *s = redact_stream_new(r, on_out, stage);
 *     if (!redact_stream_event(s, event, &said, &why)) ...   // events come out whole, in order, maybe later
 *     redact_stream_flush(s);                                // all that is held, before an end or an error
 *     redact_stream_free(s);
 *
 * An event waits until what its text may become is known; then it goes out as it came, or with the changed strings in
 * it and nothing else touched. It waits for more text of the same choice and field, for the choice's finish reason, for
 * text in another field of that choice, for LIMIT_REDACT_QUEUE_BYTES behind it, or for the flush. An event without text
 * and with nothing before it never waits. One of candidates (Gemini) that had texts alone, of which nothing is left, is
 * left out: some clients take an empty text for an answer that failed. Events without data (comments) overtake those
 * that wait.
 *
 * Read are all strings: content, refusals, reasoning, arguments of tools, search results, whatever they are called and
 * whether they stand in "choices" or beside it, but no names of the format, no signatures, no audio. JSON in them stays
 * JSON, however deep (redact_text.h). Where something of a choice was masked, its `logprobs`
 * become null: they spell the text once more. What is no JSON is taken for one text, byte by byte.
 * Source: OpenAI API reference, chat and completions, objects and their chunks.
 *
 * Nothing is parsed here: the reading (wire/said.h) comes with the answer or event, and goes out with it, its texts
 * where they stand now.
 */
#ifndef MOONGATE_WIRE_REDACT_ANSWER_H
#define MOONGATE_WIRE_REDACT_ANSWER_H

#include "base/buf.h"
#include "base/fault.h"
#include "wire/redact.h"
#include "wire/said.h"
#include "wire/sse.h"

/* True when something was changed: the new text is appended to out, and texts (said->text_count of them, a copy of the
 * reading's; may be NULL) are where they stand in it. */
bool redact_answer(struct redact *r, const struct said *said, struct buf *out, struct said_text *texts);

/* What to say of an answer that redact_answer_is_too_deep(); takes LIMIT_SIGHT_LEVELS. */
#define REDACT_TOO_DEEP "The provider's answer has JSON in JSON more than %u deep, too deep to be redacted."

struct redact_stream;
/* An event on its way out; borrowed for the call. said has no tape any more, and is NULL where the event had no texts
 * or nothing was read of it. False: whoever takes it wants no more. */
typedef bool (*redact_out_fn)(void *arg, const struct sse_event *event, const struct said *said);

/* Borrows r. */
struct redact_stream *redact_stream_new(struct redact *r, redact_out_fn out, void *arg);
void redact_stream_free(struct redact_stream *s); /* NULL is welcome; not from inside out() */
/* False: out() said so; or, with why->code set, an event that came in pieces (is_raw), or an answer of more than
 * LIMIT_REDACT_TEXTS texts: the event is dropped. said may be NULL for a comment. */
bool redact_stream_event(struct redact_stream *s, const struct sse_event *event, const struct said *said,
                         struct fault *why);
bool redact_stream_flush(struct redact_stream *s);

#endif
