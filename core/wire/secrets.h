/*
 * Keeps keys, tokens and passwords of URLs out of what is written down: where a caller's own words stand in it, as the
 * name of a model or a path do, one may have been pasted.
 *
 *     secrets_append(&lines, json);          // each of them is "[api_key]" or "[jwt]" there; JSON stays JSON
 *
 * What they are: the kinds of those names in wire/detect.h.
 */
#ifndef MOONGATE_WIRE_SECRETS_H
#define MOONGATE_WIRE_SECRETS_H

#include "base/buf.h"

void secrets_append(struct buf *out, struct slice text);

#endif
