/*
 * Anthropic's API where others host it: the path names the model and says whether it streams, and the body the version
 * of the API, which at Anthropic stand in the body and in a header.
 *
 *     const struct anthropic_host *host = anthropic_host_of(provider->kind);   // NULL: nobody hosts it there
 *     struct anthropic_betas betas = {.takes = …, .dropped = …};
 *     anthropic_betas_add(&betas, header_value);            // for each of the caller's anthropic-beta headers
 *     anthropic_host_edit(host, &betas, &edits);            // all else of the body stays byte for byte
 *
 * Sources: Amazon Bedrock user guide, "Anthropic Claude Messages API" (anthropic_version, anthropic_beta); Google Cloud,
 * Vertex AI, "Use Claude models" (anthropic_version; stream stays in the body). No state.
 */
#ifndef MOONGATE_WIRE_ANTHROPIC_HOSTED_H
#define MOONGATE_WIRE_ANTHROPIC_HOSTED_H

#include "wire/splice.h"
#include "wire/translate/dropped.h"

struct anthropic_host {
    struct slice kind;      /* of the accounts: "bedrock" */
    struct slice version;   /* "bedrock-2023-05-31" */
    bool says_stream;       /* "stream" stays in the body */
    bool has_betas_in_body; /* as "anthropic_beta"; else they are a header, as at Anthropic */
};

#define ANTHROPIC_BETAS_MAX 32u

/* Which previews a request asks for. */
struct anthropic_betas {
    bool (*takes)(struct slice beta); /* does the host know it? One that it does not fails the request */
    struct dropped *dropped;          /* "anthropic-beta.NAME": what it does not, and what is one too many */
    struct slice names[ANTHROPIC_BETAS_MAX]; /* each once */
    size_t count;
};

const struct anthropic_host *anthropic_host_of(struct slice kind);
/* list: of a header, with commas. Borrowed. */
void anthropic_betas_add(struct anthropic_betas *betas, struct slice list);
/* Of a body whose root is an object; betas of the body's own are added to them. */
void anthropic_host_edit(const struct anthropic_host *host, struct anthropic_betas *betas, struct splice *edits);

#endif
