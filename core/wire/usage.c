#include "wire/usage.h"

#define TOKENS_MAX ((int64_t)1 << 53) /* what a double, and so JavaScript, still holds exactly */

void usage_init(struct usage *u)
{
    *u = (struct usage){
        .input_tokens = USAGE_UNKNOWN,
        .output_tokens = USAGE_UNKNOWN,
        .total_tokens = USAGE_UNKNOWN,
        .cached_tokens = USAGE_UNKNOWN,
        .cache_write_tokens = USAGE_UNKNOWN,
        .reasoning_tokens = USAGE_UNKNOWN,
        .audio_input_tokens = USAGE_UNKNOWN,
        .audio_output_tokens = USAGE_UNKNOWN,
    };
}

/* Takes the member when it is there and not null; false when it was not. What cannot be a count only marks u. */
static bool take(struct usage *u, int64_t *part, const struct json_tape *tape, uint32_t object, struct slice name)
{
    uint32_t node = json_get(tape, object, name);
    int64_t value;
    if (node == JSON_NONE || json_is(tape, node, JSON_NULL)) return false;
    if (json_is(tape, node, JSON_NUMBER) && json_to_i64(tape, node, &value) && value >= 0 && value <= TOKENS_MAX) {
        *part = value;
    } else {
        u->is_suspect = true;
    }
    return true;
}

/* The chat API's name of an object of details, else the Responses API's. */
static uint32_t details(const struct json_tape *tape, uint32_t node, struct slice chat, struct slice responses)
{
    uint32_t found = json_get(tape, node, chat);
    return json_is(tape, found, JSON_OBJECT) ? found : json_get(tape, node, responses);
}

static void take_input_details(struct usage *u, const struct json_tape *tape, uint32_t node)
{
    uint32_t input = details(tape, node, SLICE("prompt_tokens_details"), SLICE("input_tokens_details"));
    if (!take(u, &u->cached_tokens, tape, input, SLICE("cached_tokens")) &&
        !take(u, &u->cached_tokens, tape, node, SLICE("prompt_cache_hit_tokens"))) {
        take(u, &u->cached_tokens, tape, node, SLICE("cached_tokens"));
    }
    take(u, &u->cache_write_tokens, tape, input, SLICE("cache_write_tokens"));
    take(u, &u->audio_input_tokens, tape, input, SLICE("audio_tokens"));
}

static void take_output_details(struct usage *u, const struct json_tape *tape, uint32_t node)
{
    uint32_t output = details(tape, node, SLICE("completion_tokens_details"), SLICE("output_tokens_details"));
    take(u, &u->reasoning_tokens, tape, output, SLICE("reasoning_tokens"));
    take(u, &u->audio_output_tokens, tape, output, SLICE("audio_tokens"));
}

/* Parts that are not in their whole. Reasoning may lie beside output when total has room for both (xAI). */
static bool is_contradictory(const struct usage *u)
{
    bool has_both = u->input_tokens != USAGE_UNKNOWN && u->output_tokens != USAGE_UNKNOWN;
    if (u->input_tokens != USAGE_UNKNOWN && u->cached_tokens > u->input_tokens) return true;
    if (!has_both || u->total_tokens == USAGE_UNKNOWN) return false;
    int64_t beside = u->total_tokens - u->input_tokens - u->output_tokens;
    if (beside == 0) return u->reasoning_tokens > u->output_tokens;
    return beside < 0 || beside != u->reasoning_tokens;
}

bool usage_from_json(struct usage *u, const struct json_tape *tape, uint32_t node)
{
    if (node == JSON_NONE || json_is(tape, node, JSON_NULL)) return false;
    if (!json_is(tape, node, JSON_OBJECT)) {
        u->is_suspect = true;
        return false;
    }
    if (!take(u, &u->input_tokens, tape, node, SLICE("prompt_tokens"))) {
        take(u, &u->input_tokens, tape, node, SLICE("input_tokens"));
    }
    if (!take(u, &u->output_tokens, tape, node, SLICE("completion_tokens"))) {
        take(u, &u->output_tokens, tape, node, SLICE("output_tokens"));
    }
    take(u, &u->total_tokens, tape, node, SLICE("total_tokens"));
    take_input_details(u, tape, node);
    take_output_details(u, tape, node);
    if (is_contradictory(u)) u->is_suspect = true;
    return true;
}

int64_t usage_output_billed(const struct usage *u)
{
    if (u->total_tokens == USAGE_UNKNOWN || u->input_tokens == USAGE_UNKNOWN) return u->output_tokens;
    int64_t rest = u->total_tokens - u->input_tokens;
    return rest > u->output_tokens ? rest : u->output_tokens;
}
