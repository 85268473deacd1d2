/*
 * Chat and text completions of openai.c: one description, two serialisations, whole and streamed.
 *
 *     struct source *s = chat_answer(body, script, is_text);
 *
 * is_text: the older /v1/completions. Usage counts words (words.h) times choices.
 */
#ifndef MOONGATE_MOCK_CHAT_H
#define MOONGATE_MOCK_CHAT_H

#include <jansson.h>

#include "script.h"
#include "source.h"

struct source *chat_answer(const json_t *body, const struct script *script, bool is_text);
/* All text in messages, prompt or input, joined by newlines; returns the number of tokens in it. */
uint64_t chat_prompt(const json_t *body, struct buf *text);

#endif
