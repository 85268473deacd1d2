/*
 * A dialect's API where others host it, as Amazon and Google do Anthropic's: the path names the model and says whether
 * it streams, and the body the version of the API, which at home stand in the body and in headers.
 *
 *     const struct hosting *hosting = dialect->hosting;            // NULL: nobody hosts it
 *     const struct host *host = hosting ? hosting->host_of(provider->kind) : NULL;         // NULL: not there
 *     struct previews previews = {.takes = …, .dropped = …};
 *     hosting->add_previews(&previews, value);                     // for each of the caller's hosting->header
 *     hosting->edit(host, &previews, &edits);                      // all else of the body stays byte for byte
 *
 * Sources: Amazon Bedrock user guide, "Anthropic Claude Messages API" (anthropic_version, anthropic_beta); Vertex AI,
 * "Use Claude models" (anthropic_version; stream stays in the body). No state.
 */
#ifndef MOONGATE_WIRE_HOSTING_H
#define MOONGATE_WIRE_HOSTING_H

#include "wire/splice.h"
#include "wire/translate/dropped.h"

struct host {
    struct slice kind;         /* of the accounts: "bedrock" */
    struct slice version;      /* "bedrock-2023-05-31" */
    bool says_stream;          /* "stream" stays in the body */
    bool has_previews_in_body; /* as "anthropic_beta"; else they are a header, as at home */
};

#define PREVIEWS_MAX 32u

/* Which previews of the API a request asks for. */
struct previews {
    bool (*takes)(struct slice name); /* does the host know it? One that it does not fails the request. NULL: all */
    struct dropped *dropped;          /* "anthropic-beta.NAME": what it does not, and what is one too many; or NULL */
    struct slice names[PREVIEWS_MAX]; /* each once */
    size_t count;
    bool keeps_model; /* the body goes where no path names the model: to be counted */
};

struct hosting {
    struct slice header; /* that names previews: "anthropic-beta" */
    const struct host *(*host_of)(struct slice kind);
    /* list: of that header, with commas. Borrowed. */
    void (*add_previews)(struct previews *previews, struct slice list);
    /* Those that a body itself names, whose root is an object; what they are made of is in the arena, or the body. */
    void (*add_own)(struct previews *previews, const struct json_tape *tape, struct arena *arena);
    /* Of a body whose root is an object; previews of the body's own are added to them. */
    void (*edit)(const struct host *host, struct previews *previews, struct splice *edits);
};

extern const struct hosting anthropic_hosting;

#endif
