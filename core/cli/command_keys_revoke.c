#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "cli/folder.h"
#include "cli/keys_inner.h"

static int revoke_key(const char *id, bool ends_requests, const struct change_by *by, const char *data_dir,
                      bool is_json)
{
    struct fault why;
    struct registry *registry = register_open(data_dir);
    if (!registry) return CLI_USAGE;
    enum registry_found found = registry_key_revoke(registry, slice_str(id), ends_requests, by, &why);
    registry_close(registry);
    if (found == REGISTRY_FAILED) return cli_error(CLI_USAGE, NULL, "%s", fault_message(&why));
    if (found == REGISTRY_MISSING) return keys_missing(id);
    register_tell(data_dir);
    if (is_json) {
        cli_print_json(json_pack("{s:s}", "revoked", id));
    } else {
        printf("revoked %s\n", id);
    }
    return CLI_OK;
}

int command_keys_revoke(int argc, char **argv)
{
    static bool ends_requests;
    static const char *reason;
    const struct option options[] = {{"--end-requests", OPTION_FLAG, &ends_requests},
                                     {"--reason", OPTION_TEXT, &reason},
                                     {NULL, OPTION_FLAG, NULL}};
    struct change_by by;
    struct common_options common;
    const char *id;
    size_t count;
    if (!cli_options(argc, argv, options, &common, &id, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"keys", "revoke"});
    if (!keys_check_id(id, count) || !caller_read(reason, &by)) return CLI_USAGE;
    char *data_dir = folder_find(common.config);
    if (!data_dir) return CLI_USAGE;
    int exit_code = revoke_key(id, ends_requests, &by, data_dir, common.is_json);
    mem_free(data_dir);
    return exit_code;
}
