/*
 * Objects that a provider keeps from now on, as its answer tells them: the response and its items, the container that
 * code ran in, the files that it made.
 *
 *     kept_answer(&dialect_responses, said.tape, on_kept, arg);     // each event, or the whole answer
 *
 * Only where the provider itself says so: what a model, a tool or its caller wrote may look like an id, and is none.
 * Sources: OpenAI API reference, the response object and its stream's events; Anthropic API reference, Messages, and
 * "Code execution tool".
 */
#ifndef MOONGATE_WIRE_KEPT_ANSWER_H
#define MOONGATE_WIRE_KEPT_ANSWER_H

#include "wire/json.h"
#include "wire/kept.h"

struct dialect;

/* id: a string of the tape. */
typedef void (*kept_answer_fn)(void *arg, enum kept_kind kind, uint32_t id);
void kept_answer(const struct dialect *dialect, const struct json_tape *tape, kept_answer_fn fn, void *arg);

#endif
