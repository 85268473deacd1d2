#include "store/registry/review_canonical.h"

#include "wire/canonical.h"

bool review_canonical(struct slice json, struct buf *out, struct fault *why)
{
    return canonical_text(json, out, why);
}
