/*
 * Visits the texts of an answer or of one chunk of it. Shared by redact_answer.c and redact_stream.c, and
 * by no one else.
 */
#ifndef MOONGATE_WIRE_REDACT_WALK_H
#define MOONGATE_WIRE_REDACT_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "wire/json.h"

#define REDACT_NO_CHOICE UINT64_MAX

/* Where a string stands. Chunks of one text agree in choice and path. */
struct redact_place {
    uint32_t node;        /* the string, never an empty one; or is_json */
    uint32_t choice_node; /* JSON_NONE: it belongs to none */
    uint64_t choice;      /* its "index", else its place; REDACT_NO_CHOICE */
    uint64_t path;        /* of the names and numbers on the way from the choice */
    uint64_t field;       /* of the names alone */
    bool is_json;         /* an object that a tool is given: read as its JSON, as if it stood in a string */
    bool goes_on;         /* of an answer in one piece, too: with that of the same choice and path */
    bool is_beside;       /* in a choice that has a delta, but not in that */
};

typedef void (*redact_place_fn)(void *arg, const struct redact_place *place);

/* What a reader of that place reads: decoded, in the arena where that takes memory. */
struct slice redact_walk_text(const struct json_tape *tape, const struct redact_place *place, struct arena *arena);

/* The texts of an answer in one piece. */
void redact_walk_answer(const struct json_tape *tape, redact_place_fn fn, void *arg);
/* The texts of every choice of the array, a choice's delta before what stands beside it. */
void redact_walk_choices(const struct json_tape *tape, uint32_t choices, redact_place_fn fn, void *arg);
/* The texts of an answer that belong to no choice, wherever else they stand: an error's, search results, citations … */
void redact_walk_rest(const struct json_tape *tape, redact_place_fn fn, void *arg);
/* The texts of an event of another dialect, which has no choices; they go on from event to event: `choice` is its
 * "index", counted down from REDACT_NO_CHOICE. */
void redact_walk_event(const struct json_tape *tape, redact_place_fn fn, void *arg);
uint64_t redact_walk_event_choice(const struct json_tape *tape);
/* The texts of an event whose strings stand whole in it, all but "delta", which goes on: its choice is `part`. */
void redact_walk_part(const struct json_tape *tape, uint64_t part, redact_place_fn fn, void *arg);
/* The texts of an event of candidates (Gemini): what a candidate says goes on from event to event, whatever part of it
 * the next piece stands in, thoughts apart from the answer; all else in them stands whole. Without the root's other
 * members, which are redact_walk_beside()'s. */
void redact_walk_candidates(const struct json_tape *tape, uint32_t candidates, redact_place_fn fn, void *arg);
void redact_walk_beside(const struct json_tape *tape, uint32_t member, redact_place_fn fn, void *arg);
/* The "index" of an element of an array, else its place. */
uint64_t redact_walk_number(const struct json_tape *tape, uint32_t element, uint64_t place);

/* The bytes of a choice's logprobs; empty when it has none, or null. */
struct slice redact_walk_logprobs(const struct json_tape *tape, uint32_t choice);

#endif
