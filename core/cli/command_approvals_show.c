#include <jansson.h>

#include "cli/approvals_inner.h"

static int show(const struct approvals *a, const char *id, bool is_json)
{
    struct fault why = {0};
    json_t *all = registry_access_requests(a->registry, slice_str(id), a->now_s, &why);
    json_t *one = approvals_one(all, "request", id, &why);
    if (!one) return CLI_FOUND;
    bool is_his = approvals_waits(a, one);
    json_object_set_new(one, "waits_for_me", json_boolean(is_his));
    if (is_json) cli_print_json(json_incref(one));
    else approvals_print(one);
    json_decref(one);
    return is_his ? CLI_FOUND : CLI_OK;
}

int command_approvals_show(int argc, char **argv)
{
    const struct option options[] = {{NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    struct approvals a;
    const char *id;
    size_t count;
    if (!cli_options(argc, argv, options, &common, &id, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"approvals", "show"});
    if (count != 1) return cli_usage_error("`moongate approvals list` shows them", "the id of a request");
    if (!approvals_open(&a, common.config, NULL, false)) return CLI_USAGE;
    return approvals_close(&a, show(&a, id, common.is_json));
}
