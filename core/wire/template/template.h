/*
 * Templates of prompts: messages with holes, "{{name}}", compiled once and filled with the caller's own bytes.
 *
 *     struct buf bytes;                                             // a compiled template: position-independent
 *     if (!template_compile(&tape, 0, &bytes, &why)) ...            // why: message, line, column, what, cure
 *
 *     struct template t;
 *     check(template_open(&t, bytes));                              // false: not a whole one
 *     struct slice values[LIMIT_TEMPLATE_VARIABLES];
 *     if (!template_read(&t, &tape, variables, arena, values, &bad)) ...
 *     for (uint32_t m = 0; m < t.message_count; m++) ... template_write(&t, m, values, &out);
 *
 * What is compiled is a JSON object: "messages", each with "role" and "content"; "variables" by name, each with "type"
 * and what bounds it; "insert_at", before which message the caller's own stand (else: behind the last).
 * A hole is {{name}} or {{ name }}; \{{ stands for {{; anything else behind {{ is refused. There is no logic: filling
 * reads no files, loops over nothing, and never looks at a value again. A value lies inside of one JSON string and is
 * valid there, so none makes a message, ends one, or changes its role.
 * Limits: LIMIT_TEMPLATE_*. Source of the syntax: OpenAI's prompt objects, Langfuse, MLflow, GitHub Models write it so.
 */
#ifndef MOONGATE_WIRE_TEMPLATE_TEMPLATE_H
#define MOONGATE_WIRE_TEMPLATE_TEMPLATE_H

#include "base/arena.h"
#include "base/buf.h"
#include "wire/json.h"

enum template_role { TEMPLATE_SYSTEM, TEMPLATE_DEVELOPER, TEMPLATE_USER, TEMPLATE_ASSISTANT };
#define TEMPLATE_ROLES (TEMPLATE_ASSISTANT + 1)

enum template_type {
    TEMPLATE_TEXT,
    TEMPLATE_NUMBER,
    TEMPLATE_INTEGER,
    TEMPLATE_BOOLEAN,
    TEMPLATE_CHOICE, /* one of "values" */
    TEMPLATE_LIST,   /* of texts, joined with "join" */
    TEMPLATE_JSON,   /* any value; its JSON is the text */
    TEMPLATE_IMAGE,  /* the last three become parts of their own, not text */
    TEMPLATE_FILE,
    TEMPLATE_AUDIO,
};
#define TEMPLATE_TYPES (TEMPLATE_AUDIO + 1)

/* Where a template is wrong. Lines and columns (characters) from 1 on; message: from 0, or TEMPLATE_NO_MESSAGE. */
#define TEMPLATE_NO_MESSAGE UINT32_MAX
struct template_error {
    uint32_t message, line, column;
    char text[256]; /* what stands there, and the cure */
};

/* Which value is wrong, and how. */
enum template_bad { TEMPLATE_BAD_MISSING, TEMPLATE_BAD_UNKNOWN, TEMPLATE_BAD_INVALID };
struct template_refusal {
    enum template_bad bad;
    char name[65]; /* of the variable; empty: the whole of them */
    char text[256];
};

/* A compiled one, seen: what it points at is borrowed. */
struct template_message;
struct template_piece;
struct template_variable;
struct template_choice;
struct template {
    struct slice bytes;
    const struct template_message *messages;
    const struct template_piece *pieces;
    const struct template_variable *variables;
    const struct template_choice *choices;
    const char *pool;
    uint32_t message_count, piece_count, variable_count, choice_count, pool_bytes;
    uint32_t insert_at; /* the caller's messages stand before that one; message_count: behind all */
    bool has_media;     /* a variable is a picture, a file or sound */
};

const char *template_role_name(enum template_role role); /* "system" */
const char *template_type_name(enum template_type type);

/* `object` is a node of the tape with "messages", "variables" and "insert_at"; its other members are nobody's business
 * here. Appends to *out, whose length must be a multiple of 8. False: *why, and nothing was appended. */
bool template_compile(const struct json_tape *tape, uint32_t object, struct buf *out, struct template_error *why);
/* Sees bytes that were compiled here; false: they are not whole. Bytes are 8-aligned. */
bool template_open(struct template *t, struct slice bytes);

/* Holes take values[i], by the order of the template's variables: what stands inside of the quotes, or for pictures,
 * files and sound the value as it came; SLICE_NONE never. `given`: the object with the caller's; JSON_NONE: there is
 * none. Borrows the tape's bytes, and the arena. */
bool template_read(const struct template *t, const struct json_tape *tape, uint32_t given, struct arena *arena,
                   struct slice *values, struct template_refusal *why);
/* How many bytes the texts of all messages will have; UINT64_MAX: too many to count. */
uint64_t template_bytes(const struct template *t, const struct slice *values);

enum template_role template_role(const struct template *t, uint32_t message);
/* Has it parts that are no text? */
bool template_has_parts(const struct template *t, uint32_t message);
/* Do callers' values stand in it? */
bool template_has_holes(const struct template *t, uint32_t message);
/* Appends a message's text as it stands inside of quotes. Of one that has no parts. */
void template_write(const struct template *t, uint32_t message, const struct slice *values, struct buf *out);
/* The same, part by part: is_text: as above; else the value of a picture, file or sound. *at begins at 0. */
struct template_part {
    bool is_text;
    enum template_type type;
    struct slice value; /* of what is no text */
};
/* Appends a text's bytes to *out, and nothing of others. False: there is no more. */
bool template_write_part(const struct template *t, uint32_t message, const struct slice *values, uint32_t *at,
                         struct buf *out, struct template_part *part);

/* The name of a variable, and its type. */
struct slice template_variable_name(const struct template *t, uint32_t variable);
enum template_type template_variable_type(const struct template *t, uint32_t variable);
/* Without a value there is none: it has no default. */
bool template_variable_is_required(const struct template *t, uint32_t variable);

/* Is that text an instance of the message's: its own texts in their order, anything where its holes are? Never of one
 * that has parts. Linear in the text. */
bool template_matches(const struct template *t, uint32_t message, struct slice text);

#endif
