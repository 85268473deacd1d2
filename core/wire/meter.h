/*
 * How many tokens an answer is so far, counted from its own text: what a stream is metered by, and billed by when its
 * provider's numbers never come.
 *
 *     struct meter *m = meter_new(vocabulary);
 *     meter_feed(m, &said);                             // for each event, or once for a whole answer
 *     struct meter_total t = meter_total(m);            // at any time
 *     meter_free(m);
 *
 * Each choice, kind of text and tool call is a text of its own, so that no token reaches over their borders. What a
 * data URL holds (wire/data_url.h) is none. Exact for
 * the text in the vocabulary it was given; what providers add around it is the caller's to know (wire/count.h). Holds a
 * counter a text, at most LIMIT_METER_TEXTS: further ones share the last, and may be off by a token at each change.
 */
#ifndef MOONGATE_WIRE_METER_H
#define MOONGATE_WIRE_METER_H

#include <stdint.h>

#include "wire/said.h"
#include "wire/tokens/vocabulary.h"

struct meter;

struct meter_total {
    uint64_t text_tokens;      /* of all texts */
    uint64_t reasoning_tokens; /* of those, what was reasoning */
    uint32_t calls;            /* tool calls that were begun */
    uint32_t choices;          /* choices that said anything */
};

struct meter *meter_new(const struct vocabulary *v);
void meter_free(struct meter *m); /* NULL is welcome */
/* The texts of one more event, or of a whole answer. */
void meter_feed(struct meter *m, const struct said *said);
struct meter_total meter_total(const struct meter *m);
/* Text tokens that nothing to come can change: a little less than the total, and cheap enough for every piece. */
uint64_t meter_settled(const struct meter *m);

#endif
