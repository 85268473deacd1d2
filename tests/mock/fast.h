/*
 * The answer of a bench upstream: next to no work per request, no look at the body but for "stream":true.
 *
 *     struct source *s = fast_answer(body, &script);
 *
 * Whole: the same 570 bytes each time. Streamed: `tokens` equal events (100 when not given) of `event_bytes` (275),
 * a usage chunk when "include_usage":true is in the body, and [DONE].
 */
#ifndef MOONGATE_MOCK_FAST_H
#define MOONGATE_MOCK_FAST_H

#include "script.h"
#include "source.h"

struct source *fast_answer(struct slice body, const struct script *script);

#endif
