#include "wire/translate/choice.h"

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

uint32_t choice_allowed(const struct reading *in, uint32_t choice)
{
    static const struct slice type = {"allowed_tools", 13};
    if (!is_word(in, json_get(in->tape, choice, SLICE("type")), type)) return JSON_NONE;
    return json_get(in->tape, inner_of(in, choice, type), SLICE("tools"));
}

bool choice_allows(const struct reading *in, uint32_t allowed, uint32_t name)
{
    if (allowed == JSON_NONE) return true;
    struct slice text = json_text(in->tape, name, in->c->arena);
    for (uint32_t n = json_first(in->tape, allowed); n != JSON_NONE; n = json_next(in->tape, n)) {
        if (is_word(in, json_get(in->tape, inner_of(in, n, SLICE("function")), SLICE("name")), text)) return true;
    }
    return false;
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
    if (choice_allowed(in, choice) != JSON_NONE)
        word = json_get(in->tape, inner_of(in, choice, SLICE("allowed_tools")), SLICE("mode"));
    in->c->choice = choice_named(in, word);
    if (in->c->choice != CHOICE_UNSAID) return true;
    if (!json_is(in->tape, name, JSON_STRING))
        return reading_refuse(in, "this \"tool_choice\" cannot be translated for this model's provider");
    in->c->choice = CHOICE_NAMED;
    in->c->choice_name = json_raw(in->tape, name);
    return true;
}
