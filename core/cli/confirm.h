/*
 * Asks before something is destroyed: on a terminal a person, elsewhere nobody, so that it must be said with --yes.
 *
 *     if (!confirm(is_yes, "replaces %s", path)) return CLI_USAGE;      // it was said why
 */
#ifndef MOONGATE_CLI_CONFIRM_H
#define MOONGATE_CLI_CONFIRM_H

#include <stdbool.h>

bool confirm(bool is_yes, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
