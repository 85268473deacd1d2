/*
 * A file that somebody names to be read: a command's argument, what an operator has put somewhere.
 *
 *     int fd = plain_open(path, &why);            // -1 and *why, whose second line is the cure
 *
 * A named pipe would keep the reader waiting for a writer, a terminal for its keys, and a device may have no end:
 * what is no plain file is refused before it is opened. Symbolic links are followed. Never for files that others can
 * write to and that must be somebody's own.
 */
#ifndef MOONGATE_BASE_PLAIN_H
#define MOONGATE_BASE_PLAIN_H

#include <stdbool.h>

#include "base/fault.h"

/* Close-on-exec. */
int plain_open(const char *path, struct fault *why);
/* For who opens it by its name: SQLite. */
bool plain_check(const char *path, struct fault *why);

#endif
