/*
 * Objects that a provider keeps from now on, as its answer tells them: the response and its items, the container that
 * code ran in, the files that it made. What its dialects (tell_kept of wire/dialect.h) share.
 *
 *     struct kept_answer t = {said->tape, fn, arg};
 *     kept_tell(&t, KEPT_RESPONSE, object, SLICE("id"));            // if it is a string
 *     kept_each(&t, list, tell_item);
 *
 * Only where the provider itself says so: what a model, a tool or its caller wrote may look like an id, and is none.
 */
#ifndef MOONGATE_WIRE_KEPT_ANSWER_H
#define MOONGATE_WIRE_KEPT_ANSWER_H

#include "wire/json.h"
#include "wire/kept.h"

/* id: a string of the tape. */
typedef void (*kept_answer_fn)(void *arg, enum kept_kind kind, uint32_t id);

struct kept_answer {
    const struct json_tape *tape;
    kept_answer_fn fn;
    void *arg;
};

void kept_tell(const struct kept_answer *t, enum kept_kind kind, uint32_t object, struct slice name);
/* Nothing of what is no list. */
void kept_each(const struct kept_answer *t, uint32_t list, void (*fn)(const struct kept_answer *t, uint32_t element));

#endif
