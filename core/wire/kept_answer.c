#include "wire/kept_answer.h"

void kept_tell(const struct kept_answer *t, enum kept_kind kind, uint32_t object, struct slice name)
{
    uint32_t id = json_get(t->tape, object, name);
    if (json_is(t->tape, id, JSON_STRING)) t->fn(t->arg, kind, id);
}

void kept_each(const struct kept_answer *t, uint32_t list, void (*fn)(const struct kept_answer *t, uint32_t element))
{
    uint32_t n = json_is(t->tape, list, JSON_ARRAY) ? json_first(t->tape, list) : JSON_NONE;
    for (; n != JSON_NONE; n = json_next(t->tape, n))
        fn(t, n);
}
