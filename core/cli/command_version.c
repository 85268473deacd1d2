#include <jansson.h>

#include "base/version.h"
#include "cli/cli.h"

int command_version(int argc, char **argv)
{
    struct common_options common;
    if (!cli_options(argc, argv, NULL, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_json) {
        cli_print_json(json_pack("{s:s}", "version", MOONGATE_VERSION));
    } else {
        printf("moongate %s\n", MOONGATE_VERSION);
    }
    return CLI_OK;
}
