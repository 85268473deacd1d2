/*
 * A file that is named on the command line, or `-` for stdin. What is wrong with it is printed.
 *
 *     if (!given_read(path, "a file with a request body", &text)) return CLI_USAGE;
 *     if (!given_open(&in, path, "a file of records")) return CLI_USAGE;          // then input_line(), input_close()
 */
#ifndef MOONGATE_CLI_GIVEN_H
#define MOONGATE_CLI_GIVEN_H

#include <stdbool.h>

#include "base/input.h"

/* cure: for one that is not there. */
bool given_open(struct input *in, const char *path, const char *cure);
/* Appends all of it, at most 256 MiB. */
bool given_read(const char *path, const char *cure, struct buf *to);
/* "stdin" */
const char *given_name(const char *path);

#endif
