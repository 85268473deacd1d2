/*
 * The provider's bytes of an answer that a spec describes, as the OpenAI dialect has them, and what of such bytes a
 * client reads.
 *
 *     struct answer answer = {.status = 200, .text = text, .finish_reason = SLICE("stop")};
 *     answer_write_body(&answer, &body);            // a whole answer, or an error
 *     answer_write_chunk(text, &event);             // a stream: an event for each text …
 *     answer_write_end(&answer, &events);           // … then its finish reason and its end marker
 *     answer_read(out, is_stream, &text);           // the text in what was delivered
 */
#ifndef MOONGATE_TESTKIT_ANSWER_H
#define MOONGATE_TESTKIT_ANSWER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

struct answer {
    int status;
    struct slice text, finish_reason;
};

void answer_write_body(const struct answer *a, struct buf *out);
void answer_write_chunk(struct slice text, struct buf *out);
void answer_write_end(const struct answer *a, struct buf *out);
void answer_read(struct slice bytes, bool is_stream, struct buf *text);

#endif
