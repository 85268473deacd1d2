/*
 * Answers of Google's Gemini API: whole, streamed as events or as a JSON array, counts of tokens, embeddings.
 *
 *     struct source *s = gemini_answer(path, query, body, script);     // NULL: it is no path of that API
 *
 * A last content of the user's "echo TEXT" is answered with TEXT, "call NAME" with a call of that function where there
 * are tools. A stream has one piece a token, and one with the reason why it ends; without ?alt=sse it is an array.
 */
#ifndef MOONGATE_MOCK_GEMINI_H
#define MOONGATE_MOCK_GEMINI_H

#include <jansson.h>

#include "script.h"
#include "source.h"

struct source *gemini_answer(struct slice path, struct slice query, const json_t *body, const struct script *script);
bool gemini_is_path(struct slice path);
/* {"error":{"code","message","status","details"}} */
struct source *gemini_error(int status, const char *word, const char *message);

#endif
