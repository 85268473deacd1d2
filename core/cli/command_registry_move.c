#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "cli/amounts.h"
#include "cli/cli.h"
#include "cli/confirm.h"
#include "cli/folder.h"
#include "store/registry/backup.h"

static int move(const char *data_dir, bool is_json)
{
    char rows[AMOUNT_BYTES];
    struct registry_backup about;
    struct fault why = {0};
    struct registry *to = registry_open(data_dir, &why);
    if (!to) return cli_fault(&why, NULL);
    bool is_good = registry_move(data_dir, to, &about, &why);
    registry_close(to);
    if (!is_good) return cli_fault(&why, NULL);
    if (is_json)
        cli_print_json(json_pack("{s:s, s:I, s:I, s:I}", "moved_to", "postgres", "epoch", (json_int_t)about.epoch,
                                 "revision", (json_int_t)about.revision, "rows", (json_int_t)about.rows));
    else
        printf("moved to PostgreSQL: revision %" PRId64 ", %s rows; %s/registry.db is read-only from now on\n",
               about.revision, amount_count(about.rows, rows), data_dir);
    return CLI_OK;
}

int command_registry_move(int argc, char **argv)
{
    static bool is_yes;
    static const char *to;
    const struct option options[] = {
        {"--to", OPTION_TEXT, &to}, {"--yes|-y", OPTION_FLAG, &is_yes}, {NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    if (!cli_options(argc, argv, options, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"registry", "move"});
    if (!to || strcmp(to, "postgres") != 0)
        return cli_usage_error("moongate registry move --to postgres", "say where to: --to postgres");
    char *data_dir = folder_find(common.config);
    if (!data_dir) return CLI_USAGE;
    int code = CLI_USAGE;
    if (!registry_is_shared())
        cli_usage_error("registry = { url = env \"MOONGATE_REGISTRY\" } in moongate.lua", "no PostgreSQL is named");
    else if (confirm(is_yes, "moves %s/registry.db into PostgreSQL, for good", data_dir))
        code = move(data_dir, common.is_json);
    mem_free(data_dir);
    return code;
}
