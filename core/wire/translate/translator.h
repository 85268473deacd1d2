/*
 * One answer from its provider's dialect into its client's: every event gives the client's events at once.
 *
 *     struct translator *t = translator_new(client, provider, &manner, on_event, stage);
 *     translator_event(t, event, &said, &told, &why);        // said and told: the provider's reading (wire/dialect.h)
 *     translator_finish(t, &told, &why);                     // it ended in order, without an end marker
 *     translator_cut(t);                                     // or it did not: before the error is told
 *     translator_body(t, &said, &told, &why);                // a whole answer instead: one event, its data the body
 *     translator_failure(t, status, name, &said, request_id, &body);  // a whole answer that tells of an error
 *     translator_free(t);
 *
 * Nothing is parsed here that was read before, but for events whose characters were cut in two; a half waits for its
 * other one. The client's end marker comes behind the provider's own end alone: what is malformed, out of order, of
 * another dialect or cut off gives a fault, and no event more. What the client's dialect has no place for is named, as
 * "answer.citations".
 * Bounds: an event at a time; arguments of calls, what waits for them, and all that a client must be told again at the
 * end, LIMIT_RESPONSE_INSPECT_BYTES; LIMIT_TRANSLATE_CALLS calls. An id over LIMIT_TRANSLATE_ID_BYTES, a call's over
 * LIMIT_TRANSLATE_CALL_ID_BYTES, gives way to the gateway's own; a model's or a tool's name over LIMIT_MODEL_BYTES is a
 * fault.
 */
#ifndef MOONGATE_WIRE_TRANSLATE_TRANSLATOR_H
#define MOONGATE_WIRE_TRANSLATE_TRANSLATOR_H

#include "wire/translate/answers.h"
#include "wire/translate/dropped.h"

struct translator;

/* Of dialects that can (translate_can()). manner's texts are borrowed, as is arg. */
struct translator *translator_new(const struct dialect *client, const struct dialect *provider,
                                  const struct answer_manner *manner, answer_event_fn event, void *arg);
void translator_free(struct translator *t); /* NULL is welcome */
/* NULL: nothing so far. */
const struct dropped *translator_dropped(const struct translator *t);
/* False: *why says what is wrong; or why->code is FAULT_NONE, and nobody hears more of it. Comments are welcome; what
 * came in pieces (is_raw) is not to be given. */
bool translator_event(struct translator *t, const struct sse_event *event, const struct said *said,
                      const struct dialect_stream *told, struct fault *why);
bool translator_finish(struct translator *t, const struct dialect_stream *told, struct fault *why);
/* It ends before its end: the client hears what was held of it for that. False: nobody hears more of it. */
bool translator_cut(struct translator *t);
bool translator_body(struct translator *t, const struct said *said, const struct dialect_stream *told,
                     struct fault *why);
/* What a body with an error status becomes, in the client's dialect; its status there is returned. Of an error that
 * came with 200 that is 502. name: what the answer's head calls it; empty: nothing. */
int translator_failure(struct translator *t, int status, struct slice name, const struct said *said,
                       struct slice request_id, struct buf *body);
/* Behind that: seconds after which that body says to come again; 0: it does not say. */
uint32_t translator_retry_after_s(const struct translator *t);
/* Of an error that came with 200, which nobody needs to translate. */
enum failure_kind translator_failure_kind(const struct dialect *provider, struct slice name, const struct said *said);

#endif
