/*
 * The policy folder as bytes: read once, hashed, handed to every worker, never read from disk again.
 *
 *     struct bundle *bundle = bundle_read("policies", &why);
 *     bundle_serialise(bundle, &out);                 // into a sealed memfd
 *     struct bundle *same = bundle_parse(bytes, &why); // in the worker; safe on any bytes
 *     printf("%s\n", bundle_digest(same));            // hex SHA-256 over the sorted paths and contents
 *     bundle_unref(same);
 *
 * Read are regular files named ^[a-z0-9_/]+\.lua$, and .json beside them (keys that a policy names), found without
 * following links; specs/ is left out (it is for tests). A link or an odd file that ends in .lua is refused, anything
 * else in the folder is passed over.
 * Limits: LIMIT_POLICY_FILES, LIMIT_POLICY_FILE_BYTES, LIMIT_POLICY_PATH_BYTES, LIMIT_POLICY_BUNDLE_BYTES.
 */
#ifndef MOONGATE_LUA_BUNDLE_H
#define MOONGATE_LUA_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/slice.h"

struct bundle;

struct bundle_file {
    struct slice path; /* "access.lua", "lib/dates.lua": relative to the folder */
    struct slice text;
};

/* The folder's files as they are now. NULL and *why (naming the file) when one cannot be read or breaks a bound. */
struct bundle *bundle_read(const char *dir, struct fault *why);
/* From what bundle_serialise wrote; copies the bytes. Anything else is refused with *why. */
struct bundle *bundle_parse(struct slice bytes, struct fault *why);
/* From files in memory, in any order; copies them. For tests and tools. */
struct bundle *bundle_of(const struct bundle_file *files, size_t count, struct fault *why);
struct bundle *bundle_ref(struct bundle *b);
void bundle_unref(struct bundle *b); /* NULL is welcome */

void bundle_serialise(const struct bundle *b, struct buf *out);
/* 64 hex digits. */
const char *bundle_digest(const struct bundle *b);
size_t bundle_count(const struct bundle *b);
size_t bundle_bytes(const struct bundle *b); /* of all texts */
/* Sorted by path; valid while the bundle is held. */
const struct bundle_file *bundle_at(const struct bundle *b, size_t index);
/* NULL when there is none. */
const struct bundle_file *bundle_find(const struct bundle *b, struct slice path);

#endif
