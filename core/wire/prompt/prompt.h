/*
 * One version of a prompt as workers use it: its compiled template, and what it sets besides; position-independent.
 *
 *     struct buf bytes;
 *     struct prompt_id id = {SLICE("support/reply"), {2, 1, 0}};
 *     if (!prompt_compile(&tape, &id, &bytes, &why)) ...  // the tape's root is a version's content
 *     struct prompt p;
 *     check(prompt_open(&p, bytes));                       // false: not a whole one
 *     template_read(&p.template, …);
 *     for (uint32_t i = 0; i < p.field_count; i++) ... prompt_field(&p, i) ...
 *
 * The content, whose canonical JSON's SHA-256 names it: "messages", "variables", "insert_at" (wire/template), "model",
 * "parameters" (as the chat API names them), "tools", "response_format", "open" (names of what callers may set all the
 * same), "apps" (who may use it; none: all), "data" (a class), "cases". No other member is taken.
 */
#ifndef MOONGATE_WIRE_PROMPT_PROMPT_H
#define MOONGATE_WIRE_PROMPT_PROMPT_H

#include "wire/prompt/semver.h"
#include "wire/template/template.h"

#define PROMPT_SHA256_BYTES 32
#define PROMPT_NAME_BYTES 128 /* at most */

struct prompt_id {
    struct slice name;
    struct semver version;
};

struct prompt_head;
struct prompt {
    const struct prompt_head *head;
    struct template template;
    struct slice name, model, data; /* model, data: empty: not said */
    struct semver version;
    const uint8_t *sha256;
    uint32_t field_count;
};

/* Something that the version sets: as the chat API writes it. */
struct prompt_field {
    struct slice name, json;
    bool is_open; /* callers may say otherwise */
};

/* Lower-case letters, digits, '.', '_', '-', in parts between '/', each beginning with a letter or digit. */
bool prompt_is_name(struct slice name);
/* Likewise without '/': "production", "eu". */
bool prompt_is_label(struct slice label);
/* The content's canonical JSON and its SHA-256. False: FAULT_BAD_BODY. */
bool prompt_canonical(const struct json_tape *tape, struct buf *out, uint8_t sha256[PROMPT_SHA256_BYTES],
                      struct fault *why);
/* Appends; out's length must be a multiple of 8, and is one again. False: *why says where. */
bool prompt_compile(const struct json_tape *tape, const struct prompt_id *id, struct buf *out,
                    struct template_error *why);
/* Bytes are 8-aligned, and borrowed. */
bool prompt_open(struct prompt *p, struct slice bytes);
/* How long the one is that begins there; 0: none does. */
size_t prompt_length(struct slice bytes);
struct prompt_field prompt_field(const struct prompt *p, uint32_t i);
/* Is that name among those that callers may set? */
bool prompt_opens(const struct prompt *p, struct slice name);
/* May that app use it? */
bool prompt_serves(const struct prompt *p, struct slice app);

#endif
