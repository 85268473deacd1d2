/*
 * A name and a text: one header of a request, one annotation of a policy, one field that a policy added to an identity.
 */
#ifndef MOONGATE_EXCHANGE_PAIR_H
#define MOONGATE_EXCHANGE_PAIR_H

#include "base/slice.h"

struct pair {
    struct slice name, value;
};

#endif
