#include "wire/count_rules.h"

#include "wire/count.h"

static uint64_t ceil_div(uint64_t n, uint64_t by)
{
    return (n + by - 1) / by;
}

struct size {
    uint64_t width, height;
};

/* Scaled down, never up, so that the longer side is at most `edge`. */
static struct size fit_long(struct size s, uint64_t edge)
{
    uint64_t longer = s.width > s.height ? s.width : s.height;
    if (!edge || longer <= edge) return s;
    return (struct size){ceil_div(s.width * edge, longer), ceil_div(s.height * edge, longer)};
}

static struct size fit_short(struct size s, uint64_t edge)
{
    uint64_t shorter = s.width < s.height ? s.width : s.height;
    if (!edge || shorter <= edge) return s;
    return (struct size){ceil_div(s.width * edge, shorter), ceil_div(s.height * edge, shorter)};
}

static uint64_t units_of(struct size s, uint64_t pixels)
{
    return ceil_div(s.width, pixels) * ceil_div(s.height, pixels);
}

static uint64_t capped(uint64_t n, uint64_t max)
{
    return max && n > max ? max : n;
}

static uint64_t root_of(uint64_t n)
{
    uint64_t root = 0;
    for (uint64_t bit = 1ull << 31; bit; bit >>= 1) {
        if ((root + bit) * (root + bit) <= n) root += bit;
    }
    return root;
}

/* Scaled so that no more than `most` patches cover it, and one side is a whole number of them. */
static uint64_t patches_of(struct size s, uint64_t pixels, uint64_t most)
{
    uint64_t all = units_of(s, pixels);
    if (!most || all <= most) return all;
    uint64_t across = root_of(most * s.width / s.height), down = root_of(most * s.height / s.width);
    if (across < 1 || down < 1) return most;
    if (across * s.height < down * s.width) return across * ceil_div(across * s.height, s.width);
    return down * ceil_div(down * s.width, s.height);
}

uint64_t count_image_tokens(const struct image_rules *rules, uint32_t width, uint32_t height, bool is_low)
{
    struct size s = {width, height};
    if (is_low && rules->low_tokens) return rules->low_tokens;
    if (!width || !height || !rules->unit_pixels) return rules->unknown_tokens;
    switch (rules->rule) {
    case IMAGE_FIXED: break;
    case IMAGE_TILES:
        s = fit_short(fit_long(s, rules->long_edge), rules->short_edge);
        return rules->base_tokens + rules->unit_tokens * units_of(s, rules->unit_pixels);
    case IMAGE_PATCHES:
        return ceil_div(patches_of(s, rules->unit_pixels, rules->units_max) * rules->factor_milli, 1000);
    case IMAGE_AREA:
        s = fit_long(s, rules->long_edge);
        return capped(ceil_div(s.width * s.height, rules->unit_pixels), rules->units_max);
    case IMAGE_BLOCKS: {
        bool is_small = s.width <= rules->short_edge && s.height <= rules->short_edge;
        return rules->unit_tokens * capped(is_small ? 1 : units_of(s, rules->unit_pixels), rules->units_max);
    }
    }
    return rules->unknown_tokens;
}

const struct count_rules *count_rules_usual(void)
{
    static struct count_rules usual = {
        .factor_milli = 1000,
        .request_tokens = 3,
        .message_tokens = 3,
        .name_tokens = 1,
        .tools_tokens = 9,
        .choice_tokens = 7,
        .no_choice_tokens = 1,
        .call_tokens = 7,
        .audio_bytes = 1600,
        .file_bytes = 32,
        .image = {.unknown_tokens = 1600},
    };
    usual.vocabulary = vocabulary_at(0);
    return &usual;
}

const struct vocabulary *count_vocabulary(const struct count_rules *rules)
{
    return rules ? rules->vocabulary : vocabulary_at(0);
}

bool count_is_exact(const struct count_rules *rules)
{
    return rules && rules->is_exact;
}

static uint64_t scaled(const struct count_rules *rules, uint64_t tokens)
{
    return ceil_div(tokens * rules->factor_milli, 1000);
}

uint64_t count_output_tokens(const struct count_rules *rules, uint64_t text_tokens, uint32_t calls)
{
    if (!rules) rules = count_rules_usual();
    return scaled(rules, text_tokens) + (uint64_t)calls * (uint64_t)rules->call_tokens;
}

uint64_t count_scale(const struct count_rules *rules, uint64_t tokens)
{
    return rules ? scaled(rules, tokens) : tokens;
}
