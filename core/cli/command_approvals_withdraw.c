#include <jansson.h>

#include "cli/approvals_inner.h"

static int withdraw(struct approvals *a, const char *id, bool is_json)
{
    struct fault why = {0};
    enum registry_found found =
        registry_access_withdraw(a->registry, slice_str(id), slice_str(a->person), &a->by, &why);
    if (found != REGISTRY_FOUND) return approvals_refused(a, found, "request", id, &why, is_json);
    approvals_tell(a);
    if (is_json) cli_print_json(json_pack("{s:s, s:s}", "id", id, "state", "withdrawn"));
    else printf("withdrawn %s\n", id);
    return CLI_OK;
}

int command_approvals_withdraw(int argc, char **argv)
{
    static const char *reason;
    const struct option options[] = {{"--reason", OPTION_TEXT, &reason}, {NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    struct approvals a;
    const char *id;
    size_t count;
    if (!cli_options(argc, argv, options, &common, &id, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"approvals", "withdraw"});
    if (count != 1) return cli_usage_error("`moongate approvals list` shows them", "the id of a request");
    if (!approvals_open(&a, common.config, reason, false)) return CLI_USAGE;
    return approvals_close(&a, withdraw(&a, id, common.is_json));
}
