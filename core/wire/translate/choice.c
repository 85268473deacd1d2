#include "wire/translate/choice.h"

#include <stdlib.h>

static bool is_word(const struct reading *in, uint32_t node, struct slice word)
{
    return json_text_is(in->tape, node, word);
}

/* Chats have an object of the type's name around it, responses have not. */
static uint32_t inner_of(const struct reading *in, uint32_t object, struct slice name)
{
    uint32_t inner = json_get(in->tape, object, name);
    return inner != JSON_NONE ? inner : object;
}

/* JSON_NONE: it leaves all tools. */
static uint32_t allowed_list(const struct reading *in, uint32_t choice)
{
    static const struct slice type = {"allowed_tools", 13};
    if (!is_word(in, json_get(in->tape, choice, SLICE("type")), type)) return JSON_NONE;
    return json_get(in->tape, inner_of(in, choice, type), SLICE("tools"));
}

bool choice_read_allowed(const struct reading *in, uint32_t choice, struct choice_allowed *allowed)
{
    uint32_t list = allowed_list(in, choice);
    *allowed = (struct choice_allowed){.is_all = list == JSON_NONE};
    if (allowed->is_all) return true;
    if (json_count(in->tape, list) > CHOICE_ALLOWED_MAX)
        return reading_refuse(in, "\"tool_choice\" must name no more than %u tools", CHOICE_ALLOWED_MAX);
    allowed->names = arena_alloc(in->c->arena, (json_count(in->tape, list) + 1) * sizeof *allowed->names);
    for (uint32_t n = json_first(in->tape, list); n != JSON_NONE; n = json_next(in->tape, n)) {
        uint32_t name = json_get(in->tape, inner_of(in, n, SLICE("function")), SLICE("name"));
        if (!json_is(in->tape, name, JSON_STRING)) continue;
        allowed->names[allowed->count++] = json_text(in->tape, name, in->c->arena);
    }
    qsort(allowed->names, allowed->count, sizeof *allowed->names, reading_compare);
    return true;
}

bool choice_allows(const struct reading *in, const struct choice_allowed *allowed, uint32_t name)
{
    if (allowed->is_all) return true;
    struct slice text = json_text(in->tape, name, in->c->arena);
    return bsearch(&text, allowed->names, allowed->count, sizeof text, reading_compare) != NULL;
}

static enum choice choice_named(const struct reading *in, uint32_t word)
{
    if (is_word(in, word, SLICE("auto"))) return CHOICE_AUTO;
    if (is_word(in, word, SLICE("none"))) return CHOICE_NONE;
    return is_word(in, word, SLICE("required")) ? CHOICE_ANY : CHOICE_UNSAID;
}

bool choice_read(const struct reading *in, uint32_t choice)
{
    uint32_t word = choice;
    uint32_t name = json_get(in->tape, inner_of(in, choice, SLICE("function")), SLICE("name"));
    if (choice == JSON_NONE) return true;
    if (allowed_list(in, choice) != JSON_NONE)
        word = json_get(in->tape, inner_of(in, choice, SLICE("allowed_tools")), SLICE("mode"));
    in->c->choice = choice_named(in, word);
    if (in->c->choice != CHOICE_UNSAID) return true;
    if (!json_is(in->tape, name, JSON_STRING))
        return reading_refuse(in, "this \"tool_choice\" cannot be translated for this model's provider");
    in->c->choice = CHOICE_NAMED;
    in->c->choice_name = json_raw(in->tape, name);
    return true;
}
