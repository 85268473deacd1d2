/*
 * A file that is whole or is not there: written beside its place, synced, renamed.
 *
 *     char *part = placing_part("/backup/registry.db");            // "….part", to be freed
 *     if (!placing_refuse_existing(to, "give another name", &why) || !placing_begin(part, &why)) return false;
 *     …write it; if (!placing_sync(part, &why)) …
 *     placing_new(part, to, &why)      // never over another one
 *     placing_over(part, to, &why)     // in the place of a SQLite file, whose log goes first
 *
 * Blocking, for commands. What fails leaves `to` as it was, and takes `part` away.
 */
#ifndef MOONGATE_STORE_PLACING_H
#define MOONGATE_STORE_PLACING_H

#include <stdbool.h>

#include "base/fault.h"

char *placing_part(const char *to);
bool placing_refuse_existing(const char *path, const char *cure, struct fault *why);
/* An empty file that nobody else may read; what was left there goes. */
bool placing_begin(const char *part, struct fault *why);
bool placing_sync(const char *part, struct fault *why);
bool placing_new(const char *part, const char *to, struct fault *why);
bool placing_over(const char *part, const char *to, struct fault *why);

#endif
