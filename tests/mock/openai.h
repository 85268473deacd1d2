/*
 * Answers as a well-behaved OpenAI would: chat completions, completions, embeddings, models.
 *
 *     struct source *s = openai_answer(&(struct openai_ask){method, path, json, &script, serial});
 *
 * Answers are made from the request alone (words.h), so the same request gets the same bytes but for nothing at all.
 * Never reads headers: keys are session.c's.
 */
#ifndef MOONGATE_MOCK_OPENAI_H
#define MOONGATE_MOCK_OPENAI_H

#include <jansson.h>

#include "script.h"
#include "source.h"

struct openai_ask {
    struct slice method, path;
    const json_t *body; /* NULL: none, or no JSON */
    const struct script *script;
};

struct source *openai_answer(const struct openai_ask *ask);

#endif
