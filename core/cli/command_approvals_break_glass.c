#include <jansson.h>

#include "cli/approvals_inner.h"

static bool is_allowed(const struct approvals *a)
{
    if (a->rules->has_break_glass) return true;
    cli_error(CLI_UNREACHABLE, "approvals.break_glass of policies/governance.lua", "there is no break-glass here");
    return false;
}

/* Of a department that is said, or of the one who acts. */
static int take(struct approvals *a, const char *model, const char *span, const char *reason,
                struct approvals_whose *whose, bool is_json)
{
    char until[32];
    struct fault why = {0};
    struct glass_made made;
    int64_t seconds = span ? approvals_span("--for", span) : a->rules->glass_longest_s;
    if (!seconds || !is_allowed(a) || !approvals_whose(a, model, whose)) return CLI_USAGE;
    if (seconds > a->rules->glass_longest_s)
        return cli_usage_error(NULL, "--for: %lld s at most", (long long)a->rules->glass_longest_s);
    struct glass_spec spec = {.subject_kind = whose->subject_kind,
                              .subject = whose->subject,
                              .object = slice_str(model),
                              .reason = slice_str(reason),
                              .seconds = seconds,
                              .person = slice_str(a->person),
                              .role = a->rules->glass_by,
                              .department = whose->scope};
    if (!registry_break_glass(a->registry, &spec, &a->by, &made, &why))
        return approvals_refused(a, REGISTRY_FAILED, "model", model, &why, is_json);
    approvals_tell(a);
    approvals_instant(made.ends_at, until);
    if (is_json) cli_print_json(json_pack("{s:s, s:I}", "grant", made.id, "ends_at", (json_int_t)made.ends_at));
    else printf("%s until %s UTC; a second person closes it: moongate approvals close %s\n", made.id, until, made.id);
    return CLI_OK;
}

int command_approvals_break_glass(int argc, char **argv)
{
    static const char *span, *reason, *app, *department;
    const struct option options[] = {{"--for", OPTION_TEXT, &span},
                                     {"--reason", OPTION_TEXT, &reason},
                                     {"--app", OPTION_TEXT, &app},
                                     {"--department", OPTION_TEXT, &department},
                                     {NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    struct approvals a;
    const char *model;
    size_t count;
    if (!cli_options(argc, argv, options, &common, &model, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"approvals", "break-glass"});
    if (count != 1 || !reason)
        return cli_usage_error("moongate approvals break-glass MODEL --reason \"what has happened\"",
                               "a model, and why");
    if (!approvals_open(&a, common.config, reason, true)) return CLI_USAGE;
    struct approvals_whose whose = {.app = app, .department = department};
    return approvals_close(&a, take(&a, model, span, reason, &whose, common.is_json));
}

/* ---- Closing. */

static int close_it(struct approvals *a, const char *id, const char *department, bool is_json)
{
    struct fault why = {0};
    if (!is_allowed(a)) return CLI_UNREACHABLE;
    enum registry_found found =
        registry_break_glass_close(a->registry, slice_str(id), slice_str(a->person), a->rules->glass_by,
                                   slice_str(department ? department : "*"), &a->by, &why);
    if (found != REGISTRY_FOUND) return approvals_refused(a, found, "grant", id, &why, is_json);
    approvals_tell(a);
    if (is_json) cli_print_json(json_pack("{s:s, s:s}", "grant", id, "closed_by", a->person));
    else printf("closed %s\n", id);
    return CLI_OK;
}

int command_approvals_close(int argc, char **argv)
{
    static const char *reason, *department;
    const struct option options[] = {
        {"--reason", OPTION_TEXT, &reason}, {"--department", OPTION_TEXT, &department}, {NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    struct approvals a;
    const char *id;
    size_t count;
    if (!cli_options(argc, argv, options, &common, &id, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"approvals", "close"});
    if (count != 1) return cli_usage_error("`moongate grants list` shows them", "the id of a break-glass grant");
    if (!approvals_open(&a, common.config, reason, true)) return CLI_USAGE;
    return approvals_close(&a, close_it(&a, id, department, common.is_json));
}
