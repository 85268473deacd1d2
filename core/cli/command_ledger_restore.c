#include <inttypes.h>
#include <jansson.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hex.h"
#include "base/input.h"
#include "base/mem.h"
#include "cli/confirm.h"
#include "cli/folder.h"
#include "cli/looking.h"
#include "cli/noting.h"
#include "cli/trial.h"
#include "store/ledger/backup.h"
#include "store/ledger/schema.h"

/* False: there is a ledger, and it is to stay. */
static bool may_replace(const char *data_dir, bool is_yes, bool *is_forced)
{
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%s/" LEDGER_FILE, data_dir);
    buf_append_char(&path, '\0');
    *is_forced = access(buf_ptr(&path), F_OK) == 0;
    bool ok = !*is_forced || confirm(is_yes, "replaces %s, and with it all that came since the backup", buf_ptr(&path));
    buf_clear(&path);
    return ok;
}

static int restore(const char *data_dir, const char *from, bool is_yes, bool is_json)
{
    struct ledger_backup about = {0};
    struct fault why = {0};
    char hash[2 * CHAIN_HASH_BYTES + 1];
    bool is_forced;
    if (input_is_odd(from)) return cli_usage_error("what `moongate ledger backup` wrote", "%s is no file", from);
    if (!may_replace(data_dir, is_yes, &is_forced)) return CLI_USAGE;
    if (!ledger_restore(data_dir, from, is_forced, &about, &why)) return cli_fault(&why, NULL);
    hex_write(about.hash, CHAIN_HASH_BYTES, hash);
    if (is_json) {
        cli_print_json(json_pack("{s:s, s:I, s:I, s:s}", "restored", from, "first_seq", (json_int_t)about.first,
                                 "last_seq", (json_int_t)about.head, "hash", hash));
    } else {
        printf("restored %s: entries %" PRIu64 " to %" PRIu64 ", head %.12s…\n", from, about.first, about.head, hash);
    }
    return CLI_OK;
}

/* Into a folder that goes again; its ledger and each hash of the chain are checked there. */
static int try_restore(const char *data_dir, const char *from, bool is_json)
{
    char *folder = trial_new();
    if (!folder) return CLI_USAGE;
    int code = restore(folder, from, true, is_json);
    trial_end(folder);
    if (code == CLI_OK)
        noting(data_dir, "ledger.trial", "ledger", json_pack("{s:s}", "file", from));
    return code;
}

int command_ledger_restore(int argc, char **argv)
{
    static bool is_yes, is_trial;
    const struct option options[] = {
        {"--yes|-y", OPTION_FLAG, &is_yes}, {"--try", OPTION_FLAG, &is_trial}, {NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    const char *from;
    size_t count;
    if (!cli_options(argc, argv, options, &common, &from, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"ledger", "restore"});
    if (count == 0) return cli_usage_error("moongate ledger restore ledger-2026-11-29.db", "say which backup");
    char *data_dir = folder_find(common.config);
    if (!data_dir) return CLI_USAGE;
    int code = is_trial ? try_restore(data_dir, from, common.is_json)
                        : restore(data_dir, from, is_yes, common.is_json);
    mem_free(data_dir);
    return code;
}
