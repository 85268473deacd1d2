#include "wire/usage.h"

#include "wire/usage_shapes.h"

/* Counts without the unknown, and what the totals make of them. */
struct sums {
    int64_t input, cached, written, written_1h, tool; /* input: with what lies beside it, without the tools' */
    int64_t output, reasoning;
    bool is_suspect;
};

static int64_t known(int64_t count)
{
    if (count < 0) return 0;
    return count < USAGE_TOKENS_MAX ? count : USAGE_TOKENS_MAX;
}

/* Takes up to `want` from what is left. */
static int64_t fit(int64_t *left, int64_t want)
{
    int64_t taken = want < *left ? want : *left;
    *left -= taken;
    return taken;
}

/* As fit(), where less is a contradiction. */
static int64_t fit_all(int64_t *left, int64_t want, bool *is_suspect)
{
    int64_t taken = fit(left, want);
    if (taken < want) *is_suspect = true;
    return taken;
}

/* The whole and its two lives; what no life is said of counts with the short one. */
static void read_writes(const struct usage *u, struct sums *s)
{
    int64_t lives = known(u->cache_write_5m_tokens) + known(u->cache_write_1h_tokens);
    bool has_lives = u->cache_write_5m_tokens != USAGE_UNKNOWN || u->cache_write_1h_tokens != USAGE_UNKNOWN;
    s->written = u->cache_write_tokens == USAGE_UNKNOWN ? lives : known(u->cache_write_tokens);
    int64_t left = s->written;
    s->written_1h = fit_all(&left, known(u->cache_write_1h_tokens), &s->is_suspect);
    if (has_lives && s->written != lives) s->is_suspect = true;
}

/* Does the part, reported in its whole's name, lie beside it? Without a total only what cannot lie inside does. */
static bool is_beside(enum usage_relation relation, const struct usage *u, int64_t part, int64_t whole, int64_t surplus,
                      int64_t others, bool *is_suspect)
{
    switch (relation) {
    case USAGE_INSIDE: return false;
    case USAGE_BESIDE: return true;
    case USAGE_BY_TOTAL: break;
    }
    if (part == 0) return false;
    if (u->total_tokens != USAGE_UNKNOWN) return surplus == part || surplus == part + others;
    if (part > whole) *is_suspect = true;
    return part > whole;
}

static void place(const struct usage *u, const struct usage_form *form, struct sums *s)
{
    int64_t surplus = known(u->total_tokens) - s->input - s->output, cache = s->cached + s->written;
    enum usage_relation relation = u->is_beside && u->total_tokens == USAGE_UNKNOWN ? USAGE_BESIDE : form->cache;
    bool reasons_beside = is_beside(form->reasoning, u, s->reasoning, s->output, surplus, cache, &s->is_suspect);
    /* The reasoning's claim comes first: two equal counts are not both in one surplus. */
    if (relation == USAGE_BY_TOTAL && reasons_beside && surplus == s->reasoning) surplus = 0;
    if (is_beside(relation, u, cache, s->input, surplus, s->reasoning, &s->is_suspect)) s->input += cache;
    if (reasons_beside) s->output += s->reasoning;
}

/* What the total has beyond the parts, where a shape has unnamed output: reasoning that is not broken down. */
static void settle_total(const struct usage *u, const struct usage_form *form, struct sums *s)
{
    if (u->total_tokens == USAGE_UNKNOWN) return;
    int64_t rest = known(u->total_tokens) - s->input - s->tool - s->output;
    if (rest == 0) return;
    bool is_named = u->reasoning_tokens != USAGE_UNKNOWN || u->output_tokens == USAGE_UNKNOWN;
    if (rest < 0 || !form->has_all_by_total || is_named || u->input_tokens == USAGE_UNKNOWN) s->is_suspect = true;
    if (rest < 0 || !form->has_all_by_total) return;
    if (u->input_tokens == USAGE_UNKNOWN) {
        s->input += rest;
    } else {
        s->output += rest;
    }
}

static struct sums sums_of(const struct usage *u)
{
    const struct usage_form *form = usage_form(u->shape);
    struct sums s = {
        .input = known(u->input_tokens),
        .cached = known(u->cached_tokens),
        .tool = known(u->tool_tokens),
        .output = known(u->output_tokens),
        .reasoning = known(u->reasoning_tokens),
        .is_suspect = u->is_malformed || u->has_foreign,
    };
    read_writes(u, &s);
    place(u, form, &s);
    settle_total(u, form, &s);
    return s;
}

/* Not in the cache, as far as the provider says what is in it. */
static int64_t uncached(int64_t whole, int64_t cached, bool *is_suspect)
{
    if (cached > whole) *is_suspect = true;
    return cached < whole ? whole - cached : 0;
}

static void divide_input(const struct usage *u, struct sums *s, int64_t *count)
{
    int64_t audio = known(u->audio_input_tokens);
    int64_t pictures = known(u->image_input_tokens) + known(u->video_input_tokens);
    int64_t left = s->input, tool = s->tool;
    if (audio + pictures > left) s->is_suspect = true;
    count[USAGE_CACHE_READ] = fit_all(&left, s->cached, &s->is_suspect);
    count[USAGE_CACHE_WRITE_1H] = fit_all(&left, s->written_1h, &s->is_suspect);
    count[USAGE_CACHE_WRITE_5M] = fit_all(&left, s->written - s->written_1h, &s->is_suspect);
    count[USAGE_AUDIO_INPUT] = fit(&left, uncached(audio, known(u->cached_audio_tokens), &s->is_suspect));
    count[USAGE_IMAGE_INPUT] = fit(&left, uncached(pictures, known(u->cached_image_tokens), &s->is_suspect));
    count[USAGE_AUDIO_INPUT] += fit_all(&tool, known(u->tool_audio_tokens), &s->is_suspect);
    count[USAGE_IMAGE_INPUT] += fit_all(&tool, known(u->tool_image_tokens), &s->is_suspect);
    count[USAGE_INPUT] = left + tool;
}

static void divide_output(const struct usage *u, struct sums *s, int64_t *count)
{
    int64_t left = s->output;
    count[USAGE_REASONING] = fit_all(&left, s->reasoning, &s->is_suspect);
    count[USAGE_AUDIO_OUTPUT] = fit_all(&left, known(u->audio_output_tokens), &s->is_suspect);
    count[USAGE_IMAGE_OUTPUT] = fit_all(&left, known(u->image_output_tokens), &s->is_suspect);
    count[USAGE_OUTPUT] = left;
}

void usage_normalise(const struct usage *u, struct usage_parts *out)
{
    struct sums s = sums_of(u);
    int64_t *count = out->count;
    *out = (struct usage_parts){0};
    divide_input(u, &s, count);
    divide_output(u, &s, count);
    count[USAGE_INPUT] += known(u->apart.input);
    count[USAGE_CACHE_READ] += known(u->apart.cached);
    count[USAGE_CACHE_WRITE_5M] += known(u->apart.cache_write);
    count[USAGE_CACHE_WRITE_1H] += known(u->apart.cache_write_1h);
    count[USAGE_OUTPUT] += known(u->apart.output);
    count[USAGE_IMAGES] = known(u->images);
    count[USAGE_SEARCHES] = known(u->web_searches) + known(u->x_searches);
    count[USAGE_TOOL_CALLS] = known(u->file_searches) + known(u->code_runs);
    count[USAGE_SECONDS] = known(u->seconds);
    for (int i = 0; i < USAGE_REQUESTS; i++) {
        if (count[i] > 0) count[USAGE_REQUESTS] = 1;
    }
    if (usage_is_known(u)) count[USAGE_REQUESTS] = 1;
    out->is_suspect = s.is_suspect;
}

int64_t usage_parts_input(const struct usage_parts *parts)
{
    int64_t sum = 0;
    for (int i = USAGE_INPUT; i <= USAGE_IMAGE_INPUT; i++) {
        if (__builtin_add_overflow(sum, parts->count[i], &sum)) return INT64_MAX;
    }
    return sum;
}

int64_t usage_parts_output(const struct usage_parts *parts)
{
    return parts->count[USAGE_OUTPUT] + parts->count[USAGE_REASONING] + parts->count[USAGE_AUDIO_OUTPUT] +
           parts->count[USAGE_IMAGE_OUTPUT];
}

const char *usage_part_name(enum usage_part part)
{
    switch (part) {
    case USAGE_INPUT: return "input";
    case USAGE_CACHE_READ: return "cached_input";
    case USAGE_CACHE_WRITE_5M: return "cache_write";
    case USAGE_CACHE_WRITE_1H: return "cache_write_1h";
    case USAGE_AUDIO_INPUT: return "audio_input";
    case USAGE_IMAGE_INPUT: return "image_input";
    case USAGE_OUTPUT: return "output";
    case USAGE_REASONING: return "reasoning";
    case USAGE_AUDIO_OUTPUT: return "audio_output";
    case USAGE_IMAGE_OUTPUT: return "image_output";
    case USAGE_IMAGES: return "images";
    case USAGE_SEARCHES: return "searches";
    case USAGE_TOOL_CALLS: return "tool_calls";
    case USAGE_SECONDS: return "seconds";
    case USAGE_CHARACTERS: return "characters";
    case USAGE_REQUESTS: return "requests";
    }
    return "";
}
