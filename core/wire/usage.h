/*
 * Tokens of one answer as the provider reported them, and the normal form that they are paid for in.
 *
 *     usage_init(&u);
 *     usage_read(&u, USAGE_SHAPE_ANTHROPIC, &tape);  // again for each later event
 *     usage_normalise(&u, &parts);                   // disjoint: the parts add up to all that is paid for
 *
 * A count that was not reported is USAGE_UNKNOWN, never zero. Later reports overwrite earlier ones count by count;
 * null and absent counts change nothing, nor does a zero behind more than that; nothing is ever added up. Whether a
 * count lies inside or beside its parent is said in one table a shape (usage_shapes.c). Objects of more than
 * LIMIT_USAGE_MEMBERS are not read. No memory held. Source: the API references of OpenAI (chat, completions,
 * embeddings, Responses, images, speech, transcriptions), Cohere (rerank's billed_units), Anthropic (Messages), Gemini
 * (GenerateContentResponse.UsageMetadata) and Amazon (Converse, TokenUsage), and what compatible providers were seen to
 * send (prompt_cache_hit_tokens: DeepSeek; top-level cached_tokens: Moonshot; x_groq.usage: Groq).
 */
#ifndef MOONGATE_WIRE_USAGE_H
#define MOONGATE_WIRE_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "wire/json.h"

#define USAGE_UNKNOWN (-1)
#define USAGE_TOKENS_MAX ((int64_t)1 << 53) /* what a double, and so JavaScript, still holds exactly */
#define USAGE_TIER_BYTES 32                 /* with the NUL; a longer name of a tier is not believed */

/* How a provider lays out its report. */
enum usage_shape {
    USAGE_SHAPE_OPENAI, /* chat, completions, embeddings, and all that are compatible with them */
    USAGE_SHAPE_RESPONSES,
    USAGE_SHAPE_ANTHROPIC,
    USAGE_SHAPE_GEMINI,
    USAGE_SHAPE_CONVERSE,
};
#define USAGE_SHAPES (USAGE_SHAPE_CONVERSE + 1)

/* Samplings of the same answer that its totals leave out. */
struct usage_apart {
    int64_t input, cached, cache_write, cache_write_1h, output; /* never unknown */
};

struct usage {
    int64_t input_tokens;  /* prompt as reported: with the cached part where the shape counts it so */
    int64_t output_tokens; /* completion, as reported */
    int64_t total_tokens;
    int64_t cached_tokens;      /* read from a cache */
    int64_t cache_write_tokens; /* written into one, of whatever life */
    int64_t reasoning_tokens;   /* a part of output, or beside it where total says so */
    int64_t audio_input_tokens;
    int64_t audio_output_tokens;
    int64_t cache_write_5m_tokens, cache_write_1h_tokens; /* of cache_write_tokens */
    int64_t image_input_tokens, video_input_tokens;       /* of input, cached ones included */
    int64_t image_output_tokens;
    int64_t cached_audio_tokens, cached_image_tokens;             /* of cached_tokens; video is with the images */
    int64_t tool_tokens, tool_audio_tokens, tool_image_tokens; /* results of the provider's tools; beside input */
    int64_t images;                                                /* pictures made, paid for by the piece */
    int64_t web_searches, x_searches, file_searches, code_runs; /* of tools that the provider runs, likewise */
    int64_t seconds;     /* of sound that was listened to, rounded up */
    struct usage_apart apart;
    enum usage_shape shape; /* of the last report */
    char service_tier[USAGE_TIER_BYTES];
    char speed[USAGE_TIER_BYTES], geography[USAGE_TIER_BYTES]; /* Anthropic: what else has a rate of its own */
    char tier[3 * USAGE_TIER_BYTES];                           /* all that is not the usual in these, in one name */
    bool is_malformed; /* something was negative, not an integer, out of range, twice there; it stays so */
    bool is_beside;    /* Anthropic's names for input and caches lie side by side, unless a total says otherwise */
    bool has_foreign;  /* another model's tokens are reported too; no part counts them */
    bool is_suspect;   /* is_malformed, or the sums do not hold after the last report */
};

/* The normal form: what every dialect's report comes to. Disjoint: the parts add up to all that is paid for. */
enum usage_part {
    USAGE_INPUT,          /* text, neither read from a cache nor written into one */
    USAGE_CACHE_READ,
    USAGE_CACHE_WRITE_5M, /* also caches whose life is not said */
    USAGE_CACHE_WRITE_1H,
    USAGE_AUDIO_INPUT,
    USAGE_IMAGE_INPUT,    /* video included */
    USAGE_OUTPUT,         /* text, tool calls included */
    USAGE_REASONING,
    USAGE_AUDIO_OUTPUT,
    USAGE_IMAGE_OUTPUT,   /* tokens of pictures */
    USAGE_IMAGES,         /* pictures made, where they are paid for by the piece */
    USAGE_SEARCHES,       /* of the web, by the provider; by the piece */
    USAGE_TOOL_CALLS,     /* other calls of tools that it runs and charges for */
    USAGE_SECONDS,        /* of sound that was listened to, begun ones too, where it is paid for by its length */
    USAGE_CHARACTERS,     /* of text that was read aloud, likewise */
    USAGE_REQUESTS,       /* 1 for one that was answered */
};
#define USAGE_PARTS (USAGE_REQUESTS + 1)

struct usage_parts {
    int64_t count[USAGE_PARTS]; /* never negative */
    bool is_estimated;          /* some count is the gateway's own, not the provider's */
    bool is_suspect;            /* the report contradicted itself; parts were clamped to be disjoint */
};

void usage_init(struct usage *u);
/* Does it say, itself or by the total, what was written? Nothing is no word to go by where something was. */
static inline bool usage_has_output(const struct usage *u)
{
    bool is_left = u->input_tokens != USAGE_UNKNOWN && u->total_tokens > u->input_tokens;
    return u->output_tokens > 0 || (u->output_tokens == USAGE_UNKNOWN && is_left);
}
/* A total alone: what of it was read and what was written, it does not say. */
static inline bool usage_is_total_alone(const struct usage *u)
{
    return u->input_tokens == USAGE_UNKNOWN && u->output_tokens == USAGE_UNKNOWN && u->total_tokens != USAGE_UNKNOWN;
}
static inline bool usage_is_known(const struct usage *u)
{
    return u->input_tokens != USAGE_UNKNOWN || u->output_tokens != USAGE_UNKNOWN || u->total_tokens != USAGE_UNKNOWN;
}
/* Takes what a whole answer, one event, or a list of events (Gemini without SSE) reports, from where the shape has it,
 * and the tier of service. False: there was no report in it; a tier may have been. A report that is no object, and
 * values that are not integers of 0 to 2^53 (12.0 is one), are not taken and make the usage suspect. Of a member that
 * is there twice the last counts, as it does for the client; that is suspect too. */
bool usage_read(struct usage *u, enum usage_shape shape, const struct json_tape *tape);
/* Counts a call of a tool that the provider runs, which an answer's items tell and its usage does not. */
void usage_add_call(int64_t *calls);
/* As the provider named it ("default", "priority", "ON_DEMAND"); empty when it did not. Borrowed from u.
 * Of Anthropic's with a speed or a place of inference that is not the usual: "fast", "us", "priority_us". */
struct slice usage_service_tier(const struct usage *u);

/*
 * The normal form. A part that the report leaves out is 0; USAGE_REQUESTS is 1 when anything is known.
 * Overlap: of counts that may cover the same tokens (a cached picture) the cache's comes first, and is taken to hold
 * text before pictures and sound unless the provider breaks it down: prompt 100, cached 90, image 80 is 90 cached and
 * 10 image.
 * More output than reported, as the total has it, is output (reasoning where the report says so): never dropped.
 * Suspect: malformed, sums that do not hold, parts larger than their whole (clamped), tokens of another model.
 */
void usage_normalise(const struct usage *u, struct usage_parts *out);
/* "input", "cached_input", "cache_write", "cache_write_1h", "audio_input", "image_input", "output", "reasoning",
 * "audio_output", "image_output", "images", "searches", "tool_calls", "seconds", "characters", "requests": as records
 * name them. */
const char *usage_part_name(enum usage_part part);
/* All that was read, cached tokens included: what long-context prices are chosen by. */
int64_t usage_parts_input(const struct usage_parts *parts);
/* All that was written, reasoning included. */
int64_t usage_parts_output(const struct usage_parts *parts);

#endif
