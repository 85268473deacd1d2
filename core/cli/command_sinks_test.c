/* A notice to each sink of moongate.lua: does it arrive? */
#include <jansson.h>

#include "cli/cli.h"
#include "cli/governing.h"

static void print(const json_t *answer)
{
    printf("each sink is sent a notice (revision %lld): `moongate checklist` says when one took it\n",
           (long long)json_integer_value(json_object_get(answer, "revision")));
}

int command_sinks_test(int argc, char **argv)
{
    static const char *reason;
    struct common_options common;
    const struct option options[] = {{"--reason", OPTION_TEXT, &reason}, {NULL, OPTION_FLAG, NULL}};
    if (!cli_options(argc, argv, options, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"sinks", "test"});
    return governing_run(&common, "POST", "/sinks/test", json_pack("{s:s?}", "reason", reason), print);
}
