#include <inttypes.h>
#include <jansson.h>

#include "base/hex.h"
#include "base/mem.h"
#include "cli/amounts.h"
#include "cli/folder.h"
#include "cli/looking.h"
#include "cli/noting.h"
#include "store/ledger/backup.h"

static void print_about(const struct ledger_backup *about, const char *path, bool is_json)
{
    char hash[2 * CHAIN_HASH_BYTES + 1], bytes[AMOUNT_BYTES];
    hex_write(about->hash, CHAIN_HASH_BYTES, hash);
    if (is_json) {
        cli_print_json(json_pack("{s:s, s:I, s:I, s:s, s:I}", "file", path, "first_seq", (json_int_t)about->first,
                                 "last_seq", (json_int_t)about->head, "hash", hash, "bytes",
                                 (json_int_t)about->bytes));
        return;
    }
    printf("%s: entries %" PRIu64 " to %" PRIu64 ", head %.12s…, %s bytes\n", path, about->first, about->head, hash,
           amount_count((int64_t)about->bytes, bytes));
}

int command_ledger_backup(int argc, char **argv)
{
    struct common_options common;
    struct ledger_backup about = {0};
    struct fault why = {0};
    const char *to;
    size_t count;
    if (!cli_options(argc, argv, NULL, &common, &to, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"ledger", "backup"});
    if (count == 0) return cli_usage_error("moongate ledger backup ledger-2026-11-29.db", "say which file to write");
    char *data_dir = folder_with_ledger(common.config);
    if (!data_dir) return CLI_USAGE;
    bool ok = ledger_backup(data_dir, to, &about, &why);
    if (ok)
        noting(data_dir, "ledger.backup", "ledger", json_pack("{s:s, s:I}", "file", to, "last_seq",
                                                              (json_int_t)about.head));
    mem_free(data_dir);
    if (!ok) return cli_fault(&why, NULL);
    print_about(&about, to, common.is_json);
    return CLI_OK;
}
