#include <inttypes.h>
#include <jansson.h>

#include "base/mem.h"
#include "cli/amounts.h"
#include "cli/cli.h"
#include "cli/folder.h"
#include "cli/noting.h"
#include "store/registry/backup.h"

static void print_about(const struct registry_backup *about, const char *path, bool is_json)
{
    char rows[AMOUNT_BYTES], bytes[AMOUNT_BYTES];
    if (is_json) {
        cli_print_json(json_pack("{s:s, s:I, s:I, s:I, s:I}", "file", path, "epoch", (json_int_t)about->epoch,
                                 "revision", (json_int_t)about->revision, "rows", (json_int_t)about->rows, "bytes",
                                 (json_int_t)about->bytes));
        return;
    }
    printf("%s: revision %" PRId64 ", %s rows, %s bytes\n", path, about->revision, amount_count(about->rows, rows),
           amount_count(about->bytes, bytes));
}

int command_registry_backup(int argc, char **argv)
{
    struct common_options common;
    struct registry_backup about = {0};
    struct registry *r;
    struct fault why = {0};
    const char *to;
    size_t count;
    if (!cli_options(argc, argv, NULL, &common, &to, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"registry", "backup"});
    if (count == 0)
        return cli_usage_error("moongate registry backup registry-2026-11-29.db", "say which file to write");
    char *data_dir = folder_find(common.config);
    if (!data_dir) return CLI_USAGE;
    int code = CLI_OK;
    if (!registry_open_to_read(data_dir, &r, &why)) code = cli_fault(&why, NULL);
    else if (!r) code = cli_error(CLI_USAGE, "the first key makes it", "%s/registry.db is not there", data_dir);
    else if (!registry_backup(r, to, &about, &why)) code = cli_fault(&why, NULL);
    else print_about(&about, to, common.is_json);
    registry_close(r);
    if (code == CLI_OK)
        noting(data_dir, "registry.backup", "registry", json_pack("{s:s, s:I}", "file", to, "revision",
                                                                  (json_int_t)about.revision));
    mem_free(data_dir);
    return code;
}
