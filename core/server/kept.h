/*
 * The last signed bundles that were accepted, whole: <data>/bundles/SERIAL is a policy folder with its manifest and its
 * signatures, and beside them .signers, who might sign when it was accepted, and what was accepted (server/accepted.h).
 *
 *     kept_path(data_dir, 42, path);                       // whether it is there or not
 *     if (!kept_write(data_dir, folder, bundle, &accepted, signers, &why)) …   // whole, or not there
 *     count = kept_list(data_dir, serials);                // the newest first
 *     kept_prune(data_dir, 42);                            // all but the last five, and but that one
 *
 * So a gateway can serve what people agreed to, when nobody has signed what lies in the folder of the policies, and go
 * back to what was in force before.
 */
#ifndef MOONGATE_SERVER_KEPT_H
#define MOONGATE_SERVER_KEPT_H

#include <limits.h>

#include "lua/bundle.h"
#include "server/accepted.h"

#define KEPT_FOLDER "bundles"
#define KEPT_SIGNERS ".signers"
#define KEPT_MAX 5u
#define KEPT_LIST_MAX 64u

void kept_path(const char *data_dir, uint64_t serial, char path[PATH_MAX]);
bool kept_is_there(const char *data_dir, uint64_t serial);
/* folder: where manifest and signatures lie. One of that serial goes first. */
bool kept_write(const char *data_dir, const char *folder, const struct bundle *bundle, const struct accepted *accepted,
                struct slice signers, struct fault *why);
/* At most KEPT_LIST_MAX. */
size_t kept_list(const char *data_dir, uint64_t serials[KEPT_LIST_MAX]);
void kept_prune(const char *data_dir, uint64_t in_force);

#endif
