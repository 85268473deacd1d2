/*
 * What one family of models takes, beyond what its dialect has words for: data of scripts/catalogue/traits.lua, as C
 * reads it. All zeroes is a family that nobody knows: what not every model takes is then left out, and told.
 */
#ifndef MOONGATE_WIRE_TRANSLATE_TRAITS_H
#define MOONGATE_WIRE_TRANSLATE_TRAITS_H

#include <stdbool.h>
#include <stdint.h>

enum trait_thinking {
    THINKING_NONE,
    THINKING_BUDGET,   /* so many tokens at most */
    THINKING_ADAPTIVE, /* as much as it finds right, by its effort */
    THINKING_LEVEL,    /* likewise, by Google's word for it */
};

/* How a part is marked up to which the prompt is to be cached. */
enum trait_cache {
    CACHE_UNMARKED,      /* not at all */
    CACHE_AS_ANTHROPIC,  /* "cache_control", also where the dialect is OpenAI's */
    CACHE_AS_BREAKPOINT, /* "prompt_cache_breakpoint" */
    CACHE_AS_POINT,      /* a "cachePoint" behind texts, which Amazon's Converse has of Anthropic's models too */
};

/* Fields of a model's own, which Amazon's Converse passes on to it. */
enum trait_top_k { TOP_K_NOWHERE, TOP_K_AS_MEMBER /* "top_k" */, TOP_K_IN_CONFIG /* "inferenceConfig.topK" */ };
enum trait_depth { DEPTH_NOWHERE, DEPTH_AS_EFFORT /* "reasoning_effort" */, DEPTH_IN_CONFIG /* "reasoningConfig" */ };

/* Whose models have an API of their own where others host them too (wire/dialect.h). */
enum trait_publisher { PUBLISHER_UNSAID, PUBLISHER_ANTHROPIC, PUBLISHER_GOOGLE };

/* Who is to ask about it in OpenAI's Responses API. */
enum trait_responses {
    RESPONSES_AS_ASKED,   /* that API's own clients */
    RESPONSES_TRANSLATED, /* all but those of its chats, which refuse tools of a model that thinks: OpenAI's accounts */
    RESPONSES_ALONE,      /* everybody, for nothing else has it: OpenAI's accounts, and Azure's */
};

struct traits {
    enum trait_publisher publisher;
    enum trait_responses responses;
    bool predicts; /* Google's platform embeds with it by an API of its own alone (:predict) */
    uint32_t output_tokens; /* of one answer at most; 0: not known */
    bool has_fixed_sampling; /* temperature, top_p and top_k are refused */
    bool has_one_sampling;   /* temperature and top_p are refused together */
    bool has_no_stop;        /* stop texts are refused */
    enum trait_thinking thinking;
    uint32_t thinking_least, thinking_most; /* of THINKING_BUDGET; most 0: not known */
    bool has_rest;        /* … where it need not think at all */
    unsigned efforts;     /* which it knows: 1 << enum effort */
    bool has_schema;      /* answers that fit a JSON schema, and tools whose inputs do */
    bool has_schema_with_tools; /* … the answers' also where there are tools */
    bool has_penalties;   /* frequency and presence penalties are taken by Google's API */
    bool has_signed_calls; /* a call that is given back must have its signature */
    bool has_late_system; /* system text in the middle of a conversation */
    bool has_developer;   /* system text is called the developer's */
    bool has_plain_content; /* texts of one message are one string, where nothing else is in it */
    bool has_reasoning;   /* takes back what it thought, as reasoning_content */
    enum trait_cache cache;
    enum trait_top_k top_k;
    enum trait_depth depth; /* where its effort is said */
    bool has_result_status; /* a result may say that its tool failed */
};

#endif
