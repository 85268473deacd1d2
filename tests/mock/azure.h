/*
 * Azure's paths of OpenAI's API: /openai/deployments/NAME/chat/completions and its like, and /openai/responses, which
 * need ?api-version=; /openai/v1/…, which does not.
 *
 *     struct slice path = azure_path(path, query, body);     // OpenAI's: "/v1/chat/completions"
 *
 * The name in the path, decoded, takes the place of the body's "model", as there.
 */
#ifndef MOONGATE_MOCK_AZURE_H
#define MOONGATE_MOCK_AZURE_H

#include <jansson.h>

#include "base/slice.h"

/* A path that is none of Azure's, or lacks its version, comes back as it was. body: NULL is welcome. */
struct slice azure_path(struct slice path, struct slice query, json_t *body);

#endif
