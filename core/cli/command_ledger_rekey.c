#include <jansson.h>

#include "base/mem.h"
#include "cli/confirm.h"
#include "cli/folder.h"
#include "cli/looking.h"
#include "store/anchor/anchor.h"

static int rekey(const char *data_dir, bool is_json)
{
    struct fault why = {0};
    struct anchor_key *next = anchor_key_open_next(data_dir, &why);
    if (next) {
        anchor_key_free(next);
        return cli_usage_error("start the gateway anew", "%s/" ANCHOR_NEXT_FILE " waits already for the gateway's next "
                               "start", data_dir);
    }
    if (anchor_key_make_next(data_dir, &why)) next = anchor_key_open_next(data_dir, &why);
    if (!next) return cli_fault(&why, NULL);
    const char *fingerprint = anchor_key_public(next)->fingerprint;
    if (is_json) {
        cli_print_json(json_pack("{s:s}", "key", fingerprint));
    } else {
        printf("made %s/" ANCHOR_NEXT_FILE ", key %.16s…\nAt its next start the gateway has the present key announce "
               "it in the chain, and signs with it.\nThen give auditors %s/" ANCHOR_PUBLIC_FILE " again.\n",
               data_dir, fingerprint, data_dir);
    }
    anchor_key_free(next);
    return CLI_OK;
}

int command_ledger_rekey(int argc, char **argv)
{
    static bool is_yes;
    const struct option options[] = {{"--yes|-y", OPTION_FLAG, &is_yes}, {NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    if (!cli_options(argc, argv, options, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"ledger", "rekey"});
    if (!confirm(is_yes, "makes a key that the gateway signs the ledger with from its next start on")) return CLI_USAGE;
    char *data_dir = folder_with_ledger(common.config);
    if (!data_dir) return CLI_USAGE;
    int code = rekey(data_dir, common.is_json);
    mem_free(data_dir);
    return code;
}
