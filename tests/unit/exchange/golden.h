/*
 * One golden usage object: what a provider reported, the parts it stands for, and what they cost.
 *
 *     {.name = "…", .shape = USAGE_SHAPE_OPENAI, .reports = {"{'usage':{…}}"}, .parts = {[IN] = 3}, .nano = 7500}
 *
 * Reports are JSON with ' for ", one after another as events of a stream. No tier: none was reported.
 */
#ifndef MOONGATE_TESTS_GOLDEN_H
#define MOONGATE_TESTS_GOLDEN_H

#include "exchange/price.h"
#include "wire/usage.h"

#define GOLDEN_REPORTS 3

enum {
    IN = USAGE_INPUT,
    CACHED = USAGE_CACHE_READ,
    WRITE = USAGE_CACHE_WRITE_5M,
    WRITE_1H = USAGE_CACHE_WRITE_1H,
    AUDIO_IN = USAGE_AUDIO_INPUT,
    IMAGE_IN = USAGE_IMAGE_INPUT,
    OUT = USAGE_OUTPUT,
    REASON = USAGE_REASONING,
    AUDIO_OUT = USAGE_AUDIO_OUTPUT,
    IMAGE_OUT = USAGE_IMAGE_OUTPUT,
    IMAGES = USAGE_IMAGES,
    REQ = USAGE_REQUESTS,
};

enum golden_price { PLAIN, ODD, TEXT, FEE, LONG, FROM, TIERS, GOLDEN_PRICES };

struct golden {
    const char *name;
    enum usage_shape shape;
    const char *reports[GOLDEN_REPORTS];
    int64_t parts[USAGE_PARTS];
    enum golden_price price;
    const char *tier;
    int64_t nano; /* INT64_MAX: beyond it */
    unsigned missing;
    bool is_suspect, is_long, is_tier_missing;
};

#endif
