/*
 * Answers as a well-behaved Anthropic would: messages, whole and streamed, and counts of tokens.
 *
 *     struct source *s = anthropic_answer(path, body, script);     // NULL: it is no path of that API
 *
 * As chat.h: text and numbers are made from the request alone. A stream has message_start, content_block_start, one
 * content_block_delta a word, content_block_stop, message_delta, message_stop.
 */
#ifndef MOONGATE_MOCK_ANTHROPIC_H
#define MOONGATE_MOCK_ANTHROPIC_H

#include <jansson.h>

#include "script.h"
#include "source.h"

struct source *anthropic_answer(struct slice path, const json_t *body, const struct script *script);
/* Its error object. */
struct source *anthropic_error(int status, const char *type, const char *message);

#endif
