/*
 * The word to the gateway that runs with a data folder, of what commands have changed in its registry.
 *
 *     enum register_told told = register_tell(data_dir);            // a running gateway takes the change up
 */
#ifndef MOONGATE_CLI_REGISTER_H
#define MOONGATE_CLI_REGISTER_H

#include <stdbool.h>

#include "store/registry/registry.h"

enum register_told {
    REGISTER_TOLD,    /* all of its workers */
    REGISTER_ABSENT,  /* nobody runs there: it reads the registry at its start */
    REGISTER_REFUSED, /* a warning was printed */
    REGISTER_SILENT,  /* it did not answer; a warning was printed. It sees the change by itself */
};

enum register_told register_tell(const char *data_dir);
/* "told", "absent", "refused", "silent" */
const char *register_word(enum register_told told);
/* Does the configuration name a Redis? Then others count with this gateway, and have registries of their own. */
bool register_is_of_fleet(const char *config);

#endif
