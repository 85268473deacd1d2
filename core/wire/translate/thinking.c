#include "wire/translate/thinking.h"

static const struct traits *traits_of(const struct writing *w)
{
    return w->target->traits;
}

void thinking_settle_length(const struct writing *w, int64_t usual, struct thinking *t)
{
    int64_t most = traits_of(w)->output_tokens;
    t->max_tokens = w->c->max_tokens >= 0 ? w->c->max_tokens : most ? most : usual;
    if (!most || t->max_tokens <= most) return;
    t->max_tokens = most;
    dropped_add(w->dropped, w->c->max_tokens_name);
}

/* With a budget for thinking, a turn in which tools were called must begin with what was thought in it, signed. */
static bool lacks_thoughts(const struct conversation *c)
{
    const struct message *called = NULL;
    for (const struct message *m = c->first; m; m = m->next) {
        if (m->speaker == SPEAKER_ASSISTANT && writing_count(&m->parts, PART_CALL)) called = m;
        if (m->speaker == SPEAKER_USER && !writing_count(&m->parts, PART_RESULT)) called = NULL;
    }
    const struct part *first = called ? called->parts.first : NULL;
    return first && first->kind != PART_REASONING;
}

/* Within the bound of the answer, half of which is left for what is said: whoever set it, or holds money for it, means
 * all of the answer. */
static bool settle_budget(const struct conversation *c, struct thinking *t)
{
    int64_t wanted = c->thinking_tokens >= 0 ? c->thinking_tokens : effort_tokens(c->effort);
    t->tokens = wanted < t->max_tokens / 2 ? wanted : t->max_tokens / 2;
    if (t->tokens < CHAT_THINKING_TOKENS_MIN || lacks_thoughts(c)) return false;
    t->kind = THINKING_BUDGET;
    return true;
}

static bool settle_kind(const struct writing *w, struct thinking *t)
{
    switch (traits_of(w)->thinking) {
    case THINKING_NONE:
    case THINKING_LEVEL: return false;
    case THINKING_BUDGET: return settle_budget(w->c, t);
    case THINKING_ADAPTIVE:
        t->kind = THINKING_ADAPTIVE;
        t->effort = writing_effort(w, EFFORT_MINIMAL);
        return true;
    }
    return false;
}

void thinking_settle(const struct writing *w, struct thinking *t)
{
    enum effort effort = w->c->effort;
    t->is_disabled = effort == EFFORT_NONE && traits_of(w)->thinking != THINKING_NONE;
    if (effort > EFFORT_NONE && !settle_kind(w, t)) dropped_add(w->dropped, w->c->words->effort);
}

unsigned thinking_knobs(const struct writing *w, const struct thinking *t)
{
    const struct conversation *c = w->c;
    uint32_t temperature = c->knobs[KNOB_TEMPERATURE];
    bool has_temperature = temperature != JSON_NONE && json_to_double(c->tape, temperature) != 1;
    bool has_one = traits_of(w)->has_one_sampling;
    unsigned knobs = 0;
    if (traits_of(w)->has_fixed_sampling || t->kind != THINKING_NONE) return 0;
    if (has_temperature || c->knobs[KNOB_TOP_P] == JSON_NONE || !has_one) knobs |= 1u << KNOB_TEMPERATURE;
    if (!has_temperature || !has_one) knobs |= 1u << KNOB_TOP_P;
    return knobs | 1u << KNOB_TOP_K;
}

enum choice thinking_choice(const struct writing *w, const struct thinking *t)
{
    const struct conversation *c = w->c;
    bool is_forced = c->choice == CHOICE_ANY || c->choice == CHOICE_NAMED;
    if (!is_forced || t->kind == THINKING_NONE) return c->choice;
    dropped_add(w->dropped, c->words->choice);
    return CHOICE_AUTO;
}
