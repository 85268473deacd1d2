/*
 * Usage as clients are told it: what the provider reported for the answer itself, its caches in its input, its
 * reasoning in its output, whatever its dialect counts beside them.
 */
#ifndef MOONGATE_WIRE_TRANSLATE_REPORTED_H
#define MOONGATE_WIRE_TRANSLATE_REPORTED_H

#include "wire/usage.h"

struct reported {
    int64_t input, cached, written, output, reasoning; /* tokens; what was not said is 0 */
    bool is_known, has_reasoning;
};

struct reported reported_of(const struct usage *usage);

#endif
