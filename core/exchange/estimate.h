/*
 * What a call will use, as far as that is known before it is made: the input by one target's counting rules, the output
 * at most. The exchange has one for the policies that decide, each attempt one of its own.
 */
#ifndef MOONGATE_EXCHANGE_ESTIMATE_H
#define MOONGATE_EXCHANGE_ESTIMATE_H

#include <stdbool.h>
#include <stdint.h>

struct estimate {
    uint64_t input_tokens;
    uint64_t output_tokens; /* what the request asks for at most; 0: it does not say */
    bool is_made;
    bool is_flagged; /* the input is not counted as its provider does (wire/count.h) */
    bool is_partial; /* counting stopped above every context: it is at least this */
};

#endif
