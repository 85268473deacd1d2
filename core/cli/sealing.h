/*
 * What the commands of signed policies have in common: a configuration, its folder, what was accepted last.
 *
 *     struct sealing s;
 *     if (!sealing_open(&s, common.config)) return CLI_USAGE;     // after a message
 *     sealing_write(&s, MANIFEST_FILE, text)                      // into the policy folder, whole or not at all
 *     sealing_close(&s);
 */
#ifndef MOONGATE_CLI_SEALING_H
#define MOONGATE_CLI_SEALING_H

#include "server/accepted.h"
#include "server/config.h"

struct sealing {
    struct config *config;
    struct bundle *bundle;
    const char *folder; /* of the policies */
    struct accepted last;
};

bool sealing_open(struct sealing *s, const char *config);
void sealing_close(struct sealing *s);
/* Appends a file of the folder. False: *why. */
bool sealing_read(const struct sealing *s, const char *name, struct buf *to, struct fault *why);
bool sealing_write(const struct sealing *s, const char *name, struct slice bytes, struct fault *why);

#endif
