/*
 * Amazon's Converse API, whole and as frames (frames.h). Source: Amazon Bedrock API reference.
 *
 *     struct source *s = converse_answer(body, is_stream, script);
 */
#ifndef MOONGATE_MOCK_CONVERSE_H
#define MOONGATE_MOCK_CONVERSE_H

#include <jansson.h>

#include "script.h"
#include "source.h"

struct source *converse_answer(const json_t *body, bool is_stream, const struct script *script);

#endif
