/*
 * The numbers by which one family of models counts a request: data of scripts/catalogue/, as C reads them.
 *
 * Texts are counted in a vocabulary; a factor makes them the provider's own where its vocabulary is not public. Around
 * them stand tokens of the provider's format. Source of the numbers: scripts/catalogue/counting.lua.
 */
#ifndef MOONGATE_WIRE_COUNT_RULES_H
#define MOONGATE_WIRE_COUNT_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/chat.h"
#include "wire/tokens/vocabulary.h"

enum image_rule {
    IMAGE_FIXED,   /* unknown_tokens each */
    IMAGE_TILES,   /* base_tokens + unit_tokens a tile of unit_pixels, after fitting in long_edge and short_edge */
    IMAGE_PATCHES, /* patches of unit_pixels, times factor_milli; scaled down first where they exceed units_max */
    IMAGE_AREA,    /* width * height / unit_pixels after fitting in long_edge, at most units_max */
    IMAGE_BLOCKS,  /* unit_tokens when both sides are within short_edge, else unit_tokens a block of unit_pixels */
};

struct image_rules {
    enum image_rule rule;
    uint32_t low_tokens;  /* detail "low"; 0: there is no such thing */
    uint32_t base_tokens, unit_tokens, unit_pixels, units_max;
    uint32_t long_edge, short_edge; /* pixels; 0: no such bound */
    uint32_t factor_milli;
    uint32_t unknown_tokens; /* what is reserved for a picture whose size is not known: the most that one can be */
};

struct count_rules {
    const struct vocabulary *vocabulary;
    uint32_t factor_milli;  /* provider's tokens for 1,000 of the vocabulary's; 1000: it is the provider's own */
    bool is_exact;          /* plain messages are counted as the provider does */
    int32_t request_tokens; /* once a chat request */
    int32_t message_tokens; /* each message, beside its role and content */
    int32_t name_tokens;    /* each message with a name, beside the name */
    bool is_role_free;      /* a name that equals its message's role adds no tokens of its own */
    int32_t tools_tokens;   /* once when there are tools, beside their text */
    int32_t tool_tokens;    /* each tool, beside its text */
    int32_t tools_system_tokens; /* the same, when there is a system message as well */
    int32_t choice_tokens;    /* a tool that must be used, beside its name; 0: the name counts nothing either */
    int32_t no_choice_tokens; /* that no tool may be used */
    int32_t call_tokens;    /* each tool call, in a message or an answer */
    uint32_t audio_bytes;   /* for a token, of sound; 0: it counts nothing */
    uint32_t file_bytes;    /* for a token, of another file */
    struct image_rules image;
    enum chat_limit limit; /* how these models call the bound of their answers; nothing is counted by it */
};

/* Tokens of one picture; width 0: its size is not known. */
uint64_t count_image_tokens(const struct image_rules *rules, uint32_t width, uint32_t height, bool is_low);

#endif
