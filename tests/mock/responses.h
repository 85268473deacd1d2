/*
 * Answers of OpenAI's Responses API, whole and streamed, counts of tokens, and compaction.
 *
 *     struct source *s = responses_answer(path, body, script);     // NULL: it is no path of that API
 *
 * An input "echo TEXT", or a last message of the user's, is answered with TEXT; "call NAME" with a call of that tool,
 * where there are tools. An answer that max_output_tokens ends is incomplete.
 */
#ifndef MOONGATE_MOCK_RESPONSES_H
#define MOONGATE_MOCK_RESPONSES_H

#include <jansson.h>

#include "script.h"
#include "source.h"

struct source *responses_answer(struct slice path, const json_t *body, const struct script *script);

#endif
