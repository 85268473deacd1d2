/*
 * How long an answer may be, how much of it thought, and what else then may be said: what the caller asked for, settled
 * by what the model takes. The rules are those of Anthropic's models, wherever they are hosted.
 *
 *     struct thinking t = {0};
 *     thinking_settle_length(&w, 4096, &t);     // so long where neither the caller nor traits say; 0: unsaid
 *     thinking_settle(&w, &t);
 *     ... t.max_tokens, t.kind, t.tokens, t.effort, t.is_disabled ...
 *     unsigned knobs = thinking_knobs(&w, &t);  // 1 << enum knob: which may be said beside it
 *     enum choice choice = thinking_choice(&w, &t);
 *
 * What cannot be had is dropped. Holds nothing. Source: Anthropic, extended and adaptive thinking, effort.
 */
#ifndef MOONGATE_WIRE_TRANSLATE_THINKING_H
#define MOONGATE_WIRE_TRANSLATE_THINKING_H

#include "wire/translate/writing.h"

struct thinking {
    int64_t max_tokens;       /* 0: unsaid */
    enum trait_thinking kind; /* what is asked for; THINKING_NONE: nothing */
    int64_t tokens;           /* of THINKING_BUDGET */
    enum effort effort;       /* EFFORT_UNSAID: nothing is said of it */
    bool is_disabled;         /* it is not to think at all */
};

void thinking_settle_length(const struct writing *w, int64_t usual, struct thinking *t);
void thinking_settle(const struct writing *w, struct thinking *t);
/* Of temperature, top_p and top_k those that the model takes together. */
unsigned thinking_knobs(const struct writing *w, const struct thinking *t);
/* While it thinks, a model cannot be made to call a tool. */
enum choice thinking_choice(const struct writing *w, const struct thinking *t);

#endif
