#include <jansson.h>

#include "cli/approvals_inner.h"

static int end_with(const struct approvals *a, enum registry_found found, const char *id, const struct fault *why,
                    json_t *said, bool is_json)
{
    if (found != REGISTRY_FOUND) {
        json_decref(said);
        return approvals_refused(a, found, "grant", id, why, is_json);
    }
    approvals_tell(a);
    if (!is_json) printf("%s %s\n", json_object_get(said, "ends_at") ? "shortened" : "revoked", id);
    if (is_json) cli_print_json(said);
    else json_decref(said);
    return CLI_OK;
}

int command_grants_revoke(int argc, char **argv)
{
    static const char *reason;
    const struct option options[] = {{"--reason", OPTION_TEXT, &reason}, {NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    struct approvals a;
    struct fault why = {0};
    const char *id;
    size_t count;
    if (!cli_options(argc, argv, options, &common, &id, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"grants", "revoke"});
    if (count != 1) return cli_usage_error("`moongate grants list` shows them", "the id of a grant");
    if (!approvals_open(&a, common.config, reason, false)) return CLI_USAGE;
    enum registry_found found =
        registry_grant_revoke(a.registry, slice_str(id), slice_str(a.person), 0, &a.by, &why);
    json_t *said = json_pack("{s:s}", "revoked", id);
    return approvals_close(&a, end_with(&a, found, id, &why, said, common.is_json));
}

int command_grants_shorten(int argc, char **argv)
{
    static const char *reason, *span;
    const struct option options[] = {
        {"--reason", OPTION_TEXT, &reason}, {"--to", OPTION_TEXT, &span}, {NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    struct approvals a;
    struct fault why = {0};
    const char *id;
    size_t count;
    if (!cli_options(argc, argv, options, &common, &id, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"grants", "shorten"});
    int64_t seconds = count == 1 ? approvals_span("--to", span) : 0;
    if (count != 1) cli_usage_error("moongate grants shorten gnt_7Q2fR8sT1uVw --to 1h", "the id of a grant");
    if (!seconds || !approvals_open(&a, common.config, reason, false)) return CLI_USAGE;
    int64_t ends_at = a.now_s + seconds;
    enum registry_found found = registry_grant_shorten(a.registry, slice_str(id), ends_at, 0, &a.by, &why);
    json_t *said = json_pack("{s:s, s:I}", "shortened", id, "ends_at", (json_int_t)ends_at);
    return approvals_close(&a, end_with(&a, found, id, &why, said, common.is_json));
}
