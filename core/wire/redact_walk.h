/*
 * Visits the texts of an answer or of one chunk of it. Shared by redact_answer.c and redact_stream.c, and
 * by no one else.
 */
#ifndef MOONGATE_WIRE_REDACT_WALK_H
#define MOONGATE_WIRE_REDACT_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/json.h"

/* Where a string stands. Chunks of one text agree in choice and path. */
struct redact_place {
    uint32_t node;        /* the string; never an empty one */
    uint32_t choice_node; /* JSON_NONE: it belongs to none */
    uint64_t choice;      /* its "index", else its place */
    uint64_t path;        /* of the names and numbers on the way from the choice */
    uint64_t field;       /* of the names alone */
    bool is_json;         /* arguments of a tool: JSON inside a string */
};

typedef void (*redact_place_fn)(void *arg, const struct redact_place *place);

/* The texts of every choice of the array. */
void redact_walk_choices(const struct json_tape *tape, uint32_t choices, redact_place_fn fn, void *arg);
/* All texts inside a value that belongs to no choice. */
void redact_walk_value(const struct json_tape *tape, uint32_t node, redact_place_fn fn, void *arg);
/* The "index" of an element of an array, else its place. */
uint64_t redact_walk_number(const struct json_tape *tape, uint32_t element, uint64_t place);

/* The bytes of a choice's logprobs; empty when it has none, or null. */
struct slice redact_walk_logprobs(const struct json_tape *tape, uint32_t choice);

#endif
