/*
 * What is signed of a policy folder: policies/.bundle, a text that names each file by its SHA-256.
 *
 *     moongate-bundle v1
 *     serial 42                    // grows by one
 *     base 9d0c…                   // the digest in force when it was made, or "none"
 *     digest 3f9c…                 // bundle_digest(): that of the records
 *     signers 77ab…                // SHA-256 of the file of signers from then on; not said: as it was
 *     1b2c… access.lua             // a line a file, sorted
 *
 *     manifest_write(&m, bundle, &text);
 *     if (!manifest_read(text, &m, &why)) …           // its head
 *     if (!manifest_fits(&m, text, bundle)) …         // are these its files, byte for byte?
 */
#ifndef MOONGATE_SERVER_MANIFEST_H
#define MOONGATE_SERVER_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fault.h"
#include "lua/bundle.h"

#define MANIFEST_FILE ".bundle"
#define MANIFEST_SIGNATURES ".signatures"
#define MANIFEST_NAMESPACE "moongate-bundle"
#define MANIFEST_DIGEST_BYTES 65

struct manifest {
    uint64_t serial; /* from 1 */
    char base[MANIFEST_DIGEST_BYTES];
    char digest[MANIFEST_DIGEST_BYTES];
    char signers[MANIFEST_DIGEST_BYTES]; /* "": not said */
};

void manifest_write(const struct manifest *m, const struct bundle *bundle, struct buf *out);
bool manifest_read(struct slice text, struct manifest *m, struct fault *why);
bool manifest_fits(const struct manifest *m, struct slice text, const struct bundle *bundle);
/* The line of a file, "1b2c… access.lua"; SLICE_NONE: it is not in it. */
struct slice manifest_line(struct slice text, struct slice path);
/* SHA-256 in hex. */
void manifest_hash(struct slice bytes, char hex[MANIFEST_DIGEST_BYTES]);
/* "none", or 64 hex digits of lower case. */
bool manifest_is_base(struct slice text);

#endif
