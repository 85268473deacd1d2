/*
 * Where a request to an account goes, and the header that its key goes into: the dialect says so (wire/dialect.h),
 * unless accounts of that kind have ways of their own, as Azure's have.
 *
 *     struct slice url = reach_url(&(struct reach_ask){kind, url, version, dialect, request, asks, model}, arena);
 *     struct dialect_header key = reach_key_header(kind, dialect);
 *
 * Azure: https://NAME.openai.azure.com/openai/deployments/MODEL/chat/completions?api-version=2024-10-21; of dialects
 * whose models have no path of their own there, /openai/responses?api-version=…; behind a URL that ends in /openai/v1
 * the dialect's own path, for which api-version is a choice. Never anything of a client's query.
 * Google's Vertex AI: https://PLACE-aiplatform.googleapis.com/v1/projects/P/locations/PLACE, then of Google's models
 * /publishers/google/models/MODEL:generateContent, of Anthropic's /publishers/anthropic/models/MODEL:rawPredict, of all
 * others /endpoints/openapi/chat/completions. An account without a project (express mode) has Google's behind /v1.
 * Amazon Bedrock: https://bedrock-runtime.us-east-1.amazonaws.com/model/MODEL/invoke where the dialect of the model's
 * publisher is spoken (wire/hosting.h), else /converse; for a stream /invoke-with-response-stream, /converse-stream. A
 * model may be an ARN.
 * Source: Azure OpenAI reference, data plane inference; "Azure OpenAI in Microsoft Foundry Models v1 API"; Amazon
 * Bedrock API reference, InvokeModel, InvokeModelWithResponseStream, Converse, ConverseStream; Vertex
 * AI REST reference v1, publishers.models; "Claude on Vertex AI"; "Call MaaS APIs for open models"; "Deployments and
 * endpoints" (locations).
 */
#ifndef MOONGATE_WIRE_REACH_H
#define MOONGATE_WIRE_REACH_H

#include "base/arena.h"
#include "wire/dialect.h"

struct reach_ask {
    struct slice kind, url, version; /* of the account; the URL without a slash at its end */
    struct slice project, location;  /* of Google's; project empty: it has none */
    const struct dialect *dialect;   /* that it is spoken to in, and has a path for what is asked */
    const struct chat_request *request;
    enum chat_kind asks;
    struct slice model; /* as the account calls it */
    struct slice place; /* in the place of the dialect's own path; empty: that */
    const struct traits *traits; /* of that model; NULL: nobody said */
};

/* In the arena. */
struct slice reach_url(const struct reach_ask *ask, struct arena *arena);
/* What this account's API does not do of what is asked, for the caller; NULL: it does. */
const char *reach_lacks(const struct reach_ask *ask);
bool reach_is_vertex(struct slice kind);
/* Where accounts in that place are asked; empty: in none. In the arena. */
struct slice reach_vertex_url(struct slice location, struct arena *arena);
/* What tokens of its accounts are asked for (wire/assertion.h). */
struct slice reach_scope(struct slice kind);
/* What a token goes into that was given for a key file. */
struct dialect_header reach_token_header(void);
/* What stands before the key there, too. */
struct dialect_header reach_key_header(struct slice kind, const struct dialect *dialect);
/* Is there a version of the API in the query of its URLs, where one is set? And must there be one? */
bool reach_takes_version(struct slice kind);
bool reach_needs_version(struct slice kind, struct slice url);
/* Are its calls signed (wire/sigv4.h) where the account has access keys? */
bool reach_signs(struct slice kind);
/* Does the gateway itself say that header there, with what is signed, so that nobody else's goes along? */
bool reach_sets(struct slice kind, struct slice header);
/* Does its API count a request's tokens as its dialect does? Else the gateway counts. */
bool reach_counts(struct slice kind);

#endif
