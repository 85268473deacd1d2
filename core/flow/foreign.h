/*
 * Paths of APIs that clients try here and that are not spoken: what to do instead, for people and for the model that
 * reads the error on their behalf.
 *
 *     if (foreign_explain(path, &why)) ... 400 ...
 *
 * A path that comes to be spoken gets a row in exchange/api.c, and loses its own here.
 */
#ifndef MOONGATE_FLOW_FOREIGN_H
#define MOONGATE_FLOW_FOREIGN_H

#include <stdbool.h>

#include "base/fault.h"
#include "base/slice.h"

/* path: with single slashes, none at the end. True: it is one of them, and `why` says so. */
bool foreign_explain(struct slice path, struct fault *why);

#endif
