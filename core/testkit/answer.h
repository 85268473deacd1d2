/*
 * The provider's bytes of an answer that a spec describes, as the dialect that was asked in has them, and what of such
 * bytes a client reads.
 *
 *     struct answer answer = {.dialect = answer_dialect(x), .status = 200, .text = text, .finish_reason = reason};
 *     answer_write_body(&answer, &body);            // a whole answer, or an error
 *     answer_write_begin(&answer, &events);         // a stream: what comes before its text …
 *     answer_write_chunk(&answer, text, &event);    // … an event for each text …
 *     answer_write_end(&answer, &events);           // … then its finish reason and its end marker
 *     answer_read(dialect, out, is_stream, &text);  // the text in what was delivered
 *
 * Source: wire/openai, wire/anthropic, wire/responses and wire/gemini, which read it.
 */
#ifndef MOONGATE_TESTKIT_ANSWER_H
#define MOONGATE_TESTKIT_ANSWER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"
#include "exchange/exchange.h"
#include "wire/dialect.h"

struct answer {
    const struct dialect *dialect;
    int status;
    struct slice text, finish_reason; /* finish_reason: the dialect's word; empty: that all was said */
};

/* Of what was asked; OpenAI's where no answer of that dialect can be made up. */
const struct dialect *answer_dialect(const struct exchange *x);

/* Its finish reason, or the dialect's for one that ended by itself. */
struct slice answer_reason(const struct answer *a);
void answer_write_body(const struct answer *a, struct buf *out);
void answer_write_begin(const struct answer *a, struct buf *out);
void answer_write_chunk(const struct answer *a, struct slice text, struct buf *out);
void answer_write_end(const struct answer *a, struct buf *out);
void answer_read(const struct dialect *dialect, struct slice bytes, bool is_stream, struct buf *text);

#endif
