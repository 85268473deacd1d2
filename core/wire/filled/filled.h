/*
 * A version of a prompt written into the request that asks for it, in the client's own dialect.
 *
 *     struct filled_asked asked;
 *     if (!filled_ask(&tape, client, header, arena, &asked, &why)) ...     // what does it ask for, if anything?
 *     if (asked.is_asked) {
 *         … find asked.name and asked.version …
 *         struct filled f = {.prompt = &prompt, .asked = &asked, …};
 *         if (!filled_write(&f, &body)) ...                                // the new body; f.why: param, what, cure
 *     }
 *
 * Bodies ask by "prompt": {"id","version","variables"}, or "prompt_id", "prompt_version", "prompt_variables"; requests
 * of any dialect by the header x-moongate-prompt: NAME or NAME@VERSION, with variables in metadata.moongate.variables.
 * These members are the gateway's own: they are always taken out.
 * With the header alone, and messages in the body, nothing is written: the
 * messages must be an instance of the version's (filled_verify()).
 * What the version sets stands: the same value passes, another is refused, unless the version opens it; the bound of an
 * answer may be lower. Sources: OpenAI API reference (Responses, "prompt"), LiteLLM ("prompt_id").
 */
#ifndef MOONGATE_WIRE_FILLED_FILLED_H
#define MOONGATE_WIRE_FILLED_FILLED_H

#include "base/limits.h"
#include "wire/dialect.h"
#include "wire/prompt/prompt.h"
#include "wire/splice.h"

struct filled_asked {
    bool is_asked;        /* it names a prompt */
    bool has_members;     /* there is something to take out */
    bool is_by_header;    /* … of the header's, that is: no member names it */
    struct slice name, version; /* decoded, in the arena; version: empty: not said */
    uint32_t variables;   /* a node; JSON_NONE: none are given */
    uint32_t members[4];  /* of the root, to be taken out; JSON_NONE: not there */
    uint32_t metadata, hints; /* metadata, metadata.moongate, around variables; JSON_NONE: they do not stand there */
};

struct filled {
    const struct prompt *prompt;
    const struct filled_asked *asked;
    const struct dialect *dialect;
    const struct json_tape *tape;
    struct slice body;
    struct arena *arena;
    struct slice model;   /* in: what the path says, empty: nothing; out: what is asked for */
    struct fault *why;
    /* out: */
    uint32_t given;       /* how many variables were */
    size_t value_bytes;   /* of all values */
};

/* Does it cost a request that names no prompt more than a look at the names of its members? It does not. header: of
 * x-moongate-prompt, empty: there is none. False: FAULT_PROMPT_INVALID, or FAULT_BAD_BODY. */
bool filled_ask(const struct json_tape *tape, const struct dialect *dialect, struct slice header, struct arena *arena,
                struct filled_asked *asked, struct fault *why);
/* With its own messages, and no variables: is it to be looked at, not written? */
bool filled_is_verified(const struct filled *f);
/* Are the messages an instance of the version's? False: FAULT_PROMPT_MISMATCH. Appends the body without the gateway's
 * members. */
bool filled_verify(struct filled *f, struct buf *out);
/* Appends the body. False: *f->why, out is to be thrown away. */
bool filled_write(struct filled *f, struct buf *out);
/* Of the body that filled_write() or filled_verify() made, which f->tape is of by now: what the application says with a
 * caller's values in it (chat_request.holes). How many: FILLED_HOLES_MAX at most. */
#define FILLED_HOLES_MAX (LIMIT_TEMPLATE_MESSAGES + 1)
uint32_t filled_holes(const struct filled *f, uint32_t nodes[FILLED_HOLES_MAX]);
/* Takes the gateway's members out, writes nothing else. */
void filled_cut(const struct filled_asked *asked, struct splice *edits);

#endif
