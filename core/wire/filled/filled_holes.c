#include "wire/filled/filled_inner.h"

/* A version's messages stand at the front of the list and at its end, the caller's between, written or recognised; what
 * stands apart is the whole system prompt, or its first block: one text, a caller's where any part of it is. */

static bool is_spoken_for(const struct template *t, uint32_t message)
{
    enum template_role role = template_role(t, message);
    return (role == TEMPLATE_SYSTEM || role == TEMPLATE_DEVELOPER) && template_has_holes(t, message);
}

/* Where the message is in the list: from its front, or as many before its end. */
static uint32_t number_of(const struct filling *w, uint32_t message, uint32_t count)
{
    const struct template *t = &w->f->prompt->template;
    if (message < t->insert_at) return filled_count_own(w, 0, message);
    return count - filled_count_own(w, message, t->message_count);
}

static uint32_t nth(const struct json_tape *tape, uint32_t list, uint32_t number)
{
    uint32_t node = json_first(tape, list);
    while (number-- && node != JSON_NONE)
        node = json_next(tape, node);
    return node;
}

static uint32_t apart_node(const struct filling *w)
{
    const struct json_tape *tape = w->f->tape;
    uint32_t system = filled_system(w->f, w->d);
    uint32_t parts = json_is(tape, system, JSON_OBJECT) ? json_get(tape, system, SLICE("parts")) : system;
    return json_is(tape, parts, JSON_ARRAY) ? json_first(tape, parts) : system;
}

uint32_t filled_holes(const struct filled *f, uint32_t nodes[FILLED_HOLES_MAX])
{
    const struct template *t = &f->prompt->template;
    struct filled at = *f;
    struct filling w = {.f = &at, .d = f->dialect->filled};
    uint32_t list = filled_list(f, w.d), found = 0, node;
    uint32_t count = json_is(f->tape, list, JSON_ARRAY) ? json_count(f->tape, list) : 0;
    bool is_apart = false;
    for (uint32_t m = 0; m < t->message_count; m++) {
        if (!is_spoken_for(t, m)) continue;
        if (filled_is_apart(&w, m))
            is_apart = true;
        else if (count && (node = nth(f->tape, list, number_of(&w, m, count))) != JSON_NONE)
            nodes[found++] = node;
    }
    if (is_apart && (node = apart_node(&w)) != JSON_NONE) nodes[found++] = node;
    return found;
}
