/*
 * The registry of a data folder, for commands that change it, and the word to the gateway that runs there.
 *
 *     struct registry *registry = register_open(data_dir);          // NULL after a message
 *     … registry_close(registry);
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

/* Makes folder and file where there are none. */
struct registry *register_open(const char *data_dir);
enum register_told register_tell(const char *data_dir);
/* "told", "absent", "refused", "silent" */
const char *register_word(enum register_told told);
/* Does the configuration name a Redis? Then others count with this gateway, and have registries of their own. */
bool register_is_of_fleet(const char *config);

#endif
