/*
 * Vertex AI's paths of Anthropic's API and of OpenAI's: …/publishers/anthropic/models/NAME:rawPredict, :streamRawPredict,
 * and …/endpoints/openapi/chat/completions. Google's own are Gemini's.
 *
 *     struct slice path = vertex_path(path, body);     // "/v1/messages", "/v1/chat/completions"
 *
 * The name in the path, decoded, is the body's "model", as there.
 */
#ifndef MOONGATE_MOCK_VERTEX_H
#define MOONGATE_MOCK_VERTEX_H

#include <jansson.h>

#include "base/slice.h"

/* A path that is none of these, or whose body is not what Vertex AI takes (a model in it, another anthropic_version),
 * comes back as it was. body: NULL is welcome. */
struct slice vertex_path(struct slice path, json_t *body);

#endif
