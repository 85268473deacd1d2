/*
 * What a compiled template looks like; only wire/template includes it. Native byte order, offsets into its own pool:
 * it may be copied or mapped anywhere on this machine.
 *
 *     struct template_head | messages | pieces | variables | choices | pool (texts, without NULs between them)
 */
#ifndef MOONGATE_WIRE_TEMPLATE_TEMPLATE_INNER_H
#define MOONGATE_WIRE_TEMPLATE_TEMPLATE_INNER_H

#include "wire/template/template.h"

#define TEMPLATE_MAGIC 0x3154474du /* "MGT1" */
#define TEMPLATE_LITERAL UINT32_MAX

struct template_text {
    uint32_t at, len; /* in the pool */
};

struct template_head {
    uint32_t magic, size;
    uint32_t message_count, piece_count, variable_count, choice_count, pool_bytes, insert_at;
};

struct template_message {
    uint32_t role, first, count; /* its pieces */
    uint32_t parts;              /* how many of them are no text */
};

struct template_piece {
    uint32_t variable;           /* TEMPLATE_LITERAL: it is a text of the template's own … */
    struct template_text escaped; /* … as it stands inside of quotes … */
    struct template_text plain;   /* … and as people read it: one and the same where nothing needs an escape */
};

enum { TEMPLATE_HAS_MIN = 1, TEMPLATE_HAS_MAX = 2, TEMPLATE_HAS_DEFAULT = 4 };

struct template_variable {
    struct template_text name, join, value; /* join and value (the default): as they fill a hole */
    uint32_t type, flags, uses;
    uint32_t bytes_max, items_max;
    uint32_t first_choice, choice_count;
    uint32_t reserved;
    double min, max;
};

struct template_choice {
    struct template_text plain, escaped;
};

static inline struct slice template_text_of(const struct template *t, struct template_text text)
{
    return slice_of(t->pool + text.at, text.len);
}

static inline bool template_is_media(uint32_t type)
{
    return type >= TEMPLATE_IMAGE;
}

/* One value against its variable (read.c), for callers and for defaults. False: why->text says what it must be. */
bool template_read_value(const struct template *t, const struct template_variable *v, const struct json_tape *tape,
                         uint32_t node, struct arena *arena, struct slice *value, struct template_refusal *why);

/* The syntax (scan.c): the next piece of a text. */
enum template_token { TEMPLATE_END, TEMPLATE_PLAIN, TEMPLATE_HOLE, TEMPLATE_WRONG };
struct template_scan {
    struct slice text;
    size_t at;
    struct slice found;   /* PLAIN: a run of text; HOLE: its name */
    size_t began, ended;  /* of what was found */
    const char *wrong;    /* WRONG: what stands there, and the cure */
};
enum template_token template_scan(struct template_scan *s);
bool template_is_name(struct slice name);

/* Variables (declare.c): what the compiler is told of each. */
struct template_declared {
    struct buf variables, choices, pool; /* arrays of the structs above */
    uint32_t count;
    struct template_error *why;
    struct arena *arena;
};
bool template_declare(struct template_declared *d, const struct json_tape *tape, uint32_t variables);
struct template_text template_keep(struct buf *pool, struct slice text);
/* The text as it stands inside of quotes. */
struct slice template_escape(struct arena *arena, struct slice text);

#endif
