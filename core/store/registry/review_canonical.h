/*
 * The canonical form of a JSON text, for files that have jansson.h, which cannot be included beside wire/json.h.
 */
#ifndef MOONGATE_STORE_REGISTRY_REVIEW_CANONICAL_H
#define MOONGATE_STORE_REGISTRY_REVIEW_CANONICAL_H

#include "base/buf.h"
#include "base/fault.h"

/* As canonical_text() of wire/canonical.h. */
bool review_canonical(struct slice json, struct buf *out, struct fault *why);

#endif
