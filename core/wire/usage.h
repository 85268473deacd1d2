/*
 * Tokens of one answer as the provider reported them, in disjoint or contained parts as the comment says.
 *
 *     usage_init(&u);
 *     usage_from_json(&u, &tape, json_get(&tape, 0, SLICE("usage")));   // again for each later report
 *
 * A part that was not reported is USAGE_UNKNOWN, never zero. Later reports overwrite earlier ones part by part; null
 * and absent parts change nothing; nothing is ever added up. Source: OpenAI API reference, "usage" objects, and what
 * compatible providers were seen to send (prompt_cache_hit_tokens: DeepSeek; top-level cached_tokens: Moonshot).
 */
#ifndef MOONGATE_WIRE_USAGE_H
#define MOONGATE_WIRE_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "wire/json.h"

#define USAGE_UNKNOWN (-1)

struct usage {
    int64_t input_tokens;  /* prompt, cached part included */
    int64_t output_tokens; /* completion, as reported */
    int64_t total_tokens;
    int64_t cached_tokens; /* the part of input read from a cache */
    int64_t cache_write_tokens;
    int64_t reasoning_tokens; /* a part of output; beside it where total says so, see usage_output_billed() */
    int64_t audio_input_tokens;
    int64_t audio_output_tokens;
    bool is_suspect; /* negative, not an integer, out of range, or the sum does not hold */
};

/* The normal form: what every dialect's report comes to. Disjoint: the parts add up to all that is paid for. */
enum usage_part {
    USAGE_INPUT,          /* text, neither read from a cache nor written into one */
    USAGE_CACHE_READ,
    USAGE_CACHE_WRITE_5M, /* also caches whose life is not said */
    USAGE_CACHE_WRITE_1H,
    USAGE_AUDIO_INPUT,
    USAGE_IMAGE_INPUT,
    USAGE_OUTPUT,         /* text, tool calls included */
    USAGE_REASONING,
    USAGE_AUDIO_OUTPUT,
    USAGE_IMAGE_OUTPUT,   /* tokens of pictures */
    USAGE_IMAGES,         /* pictures made, where they are paid for by the piece */
    USAGE_REQUESTS,       /* 1 for one that was answered */
};
#define USAGE_PARTS (USAGE_REQUESTS + 1)

struct usage_parts {
    int64_t count[USAGE_PARTS]; /* never negative */
    bool is_estimated;          /* some count is the gateway's own, not the provider's */
    bool is_suspect;            /* the report contradicted itself; parts were clamped to be disjoint */
};

void usage_init(struct usage *u);
static inline bool usage_is_known(const struct usage *u)
{
    return u->input_tokens != USAGE_UNKNOWN || u->output_tokens != USAGE_UNKNOWN || u->total_tokens != USAGE_UNKNOWN;
}
/* Takes one usage object of the chat, completions, embeddings or Responses API. Returns false, and changes nothing,
 * when node is JSON_NONE, null or no object (the last is suspect). Values that are not integers of 0 to 2^53 are not
 * taken and make the usage suspect. */
bool usage_from_json(struct usage *u, const struct json_tape *tape, uint32_t node);
/* Output with the reasoning that some providers (xAI, Gemini's OpenAI mode) report beside it: total - input when that
 * is more than output; USAGE_UNKNOWN when neither is known. */
int64_t usage_output_billed(const struct usage *u);

#endif
