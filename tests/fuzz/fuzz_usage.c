/* The first byte picks the shape; the lines behind it are events of one answer. Whatever they hold, the parts are
 * disjoint, not negative, within bounds, and add up to the total unless the report is suspect; the same again changes
 * nothing. */
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "wire/usage.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void feed(struct usage *u, enum usage_shape shape, struct slice json)
{
    struct json_tape tape;
    struct fault why;
    json_init(&tape);
    if (json_parse(&tape, json, &why)) usage_read(u, shape, &tape);
    json_clear(&tape);
}

static void check_counts(const struct usage *u)
{
    const int64_t counts[] = {u->input_tokens,         u->output_tokens,         u->total_tokens,
                              u->cached_tokens,        u->cache_write_tokens,    u->reasoning_tokens,
                              u->audio_input_tokens,   u->audio_output_tokens,   u->cache_write_5m_tokens,
                              u->cache_write_1h_tokens, u->image_input_tokens,   u->video_input_tokens,
                              u->image_output_tokens,  u->cached_audio_tokens,   u->cached_image_tokens,
                              u->tool_tokens,          u->tool_audio_tokens,     u->tool_image_tokens,
                              u->images,               u->web_searches,          u->x_searches,
                              u->file_searches,        u->code_runs,             u->apart.input,           u->apart.cached,
                              u->apart.cache_write,    u->apart.cache_write_1h,  u->apart.output};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        check(counts[i] >= USAGE_UNKNOWN && counts[i] <= USAGE_TOKENS_MAX);
    check(usage_service_tier(u).len < sizeof u->tier);
}

static void check_parts(const struct usage *u, const struct usage_parts *parts)
{
    const struct usage_apart *a = &u->apart;
    int64_t sum = 0;
    for (int i = 0; i < USAGE_PARTS; i++) {
        check(parts->count[i] >= 0 && parts->count[i] <= 8 * USAGE_TOKENS_MAX);
        if (i < USAGE_IMAGES) sum += parts->count[i];
    }
    check(parts->count[USAGE_REQUESTS] <= 1);
    check(usage_is_known(u) <= parts->count[USAGE_REQUESTS]);
    check(usage_parts_input(parts) <= sum);
    check(parts->is_suspect == u->is_suspect);
    sum -= a->input + a->cached + a->cache_write + a->cache_write_1h + a->output;
    if (u->total_tokens != USAGE_UNKNOWN && !u->is_suspect) check(sum == u->total_tokens);
    if (u->total_tokens == USAGE_UNKNOWN && u->output_tokens != USAGE_UNKNOWN) check(sum >= u->output_tokens);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct usage u;
    struct usage_parts first, again;
    struct slice rest, line;
    if (len == 0) return 0;
    enum usage_shape shape = bytes[0] % USAGE_SHAPES;
    usage_init(&u);
    rest = slice_of((const char *)bytes + 1, len - 1);
    do {
        line = slice_split(rest, '\n', &rest);
        feed(&u, shape, line);
        check_counts(&u);
    } while (rest.len);
    usage_normalise(&u, &first);
    check_parts(&u, &first);
    feed(&u, shape, line);
    usage_normalise(&u, &again);
    check(memcmp(&first, &again, sizeof first) == 0);
    return 0;
}
