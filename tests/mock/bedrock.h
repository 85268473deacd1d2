/*
 * Amazon Bedrock's runtime: POST /model/NAME/invoke and /invoke-with-response-stream of Anthropic's models,
 * /converse and /converse-stream of all.
 *
 *     if (bedrock_is_path(path)) source = bedrock_answer(&request, body, script);
 *
 * Who signs must sign well (signature.h); who has a bearer token is let in. What the real one refuses of a body is
 * refused: a model, a stream, previews that it does not know, no anthropic_version.
 * Source: Amazon Bedrock API reference.
 */
#ifndef MOONGATE_MOCK_BEDROCK_H
#define MOONGATE_MOCK_BEDROCK_H

#include <jansson.h>

#include "request.h"
#include "script.h"
#include "source.h"

bool bedrock_is_path(struct slice path);
/* body is changed. */
struct source *bedrock_answer(const struct request *request, json_t *body, const struct script *script);
/* type: "ThrottlingException", which goes into a header; NULL: what its status says. */
struct source *bedrock_error(int status, const char *type, const char *message);

#endif
