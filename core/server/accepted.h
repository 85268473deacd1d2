/*
 * The last signed bundle that was accepted, in the data folder: what keeps an older one from coming back.
 *
 *     if (!accepted_read(data_dir, &last, &why)) …    // it is there and cannot be read; serial 0: there is none
 *     if (!accepted_write(data_dir, &next, &why)) …   // whole and on the disk, or as it was
 */
#ifndef MOONGATE_SERVER_ACCEPTED_H
#define MOONGATE_SERVER_ACCEPTED_H

#include "server/manifest.h"

#define ACCEPTED_FILE "bundle.accepted"

struct accepted {
    uint64_t serial;  /* in force */
    uint64_t highest; /* that ever was: what was rolled back does not come again */
    char digest[MANIFEST_DIGEST_BYTES];
    int64_t at_s; /* seconds since 1970: when its signatures were judged */
};

bool accepted_read(const char *data_dir, struct accepted *last, struct fault *why);
bool accepted_write(const char *data_dir, const struct accepted *next, struct fault *why);

#endif
