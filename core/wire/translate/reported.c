#include "wire/translate/reported.h"

struct reported reported_of(const struct usage *usage)
{
    struct usage own = *usage;
    struct usage_parts parts;
    own.apart = (struct usage_apart){0}; /* billed, but no part of what is told here */
    usage_normalise(&own, &parts);
    return (struct reported){
        .input = usage_parts_input(&parts),
        .cached = parts.count[USAGE_CACHE_READ],
        .written = parts.count[USAGE_CACHE_WRITE_5M] + parts.count[USAGE_CACHE_WRITE_1H],
        .output = usage_parts_output(&parts),
        .reasoning = parts.count[USAGE_REASONING],
        .is_known = usage_is_known(usage),
        .has_reasoning = usage->reasoning_tokens != USAGE_UNKNOWN,
    };
}
