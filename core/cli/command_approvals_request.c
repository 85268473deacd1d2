#include <jansson.h>
#include <string.h>

#include "cli/approvals_inner.h"

/* A row may want one of some words, with a colon behind it, in front. */
static bool has_purpose(const struct governance_row *row, const char *purpose)
{
    size_t word = strcspn(purpose, ":");
    for (size_t i = 0; i < row->purpose_count; i++) {
        if (purpose[word] == ':' && slice_equal(row->purposes[i], slice_of(purpose, word))) return true;
    }
    if (!row->purpose_count) return true;
    cli_usage_error("such as --purpose \"tender: the new town hall\"",
                    "--purpose: it begins with one of the row's words and a colon; the first is `%.*s`",
                    SLICE_FMT(row->purposes[0]));
    return false;
}

static bool is_within(const struct governance_row *row, int64_t seconds)
{
    if (seconds <= row->longest_s) return true;
    cli_usage_error("ask for less", "--for: no grant of this model lasts longer than %lld s (%.*s:%d)",
                    (long long)row->longest_s, SLICE_FMT(row->file), row->line);
    return false;
}

static int print_made(const struct approvals *a, const struct approvals_whose *whose, const struct access_made *made,
                      bool is_json)
{
    if (is_json) {
        cli_print_json(json_pack("{s:s, s:s, s:s%, s:I, s:I}", "id", made->id, "state", "pending", "by",
                                 whose->row->by.ptr, whose->row->by.len, "expires_at", (json_int_t)made->expires_at,
                                 "deciders", (json_int_t)made->deciders));
    } else {
        char until[32];
        approvals_instant(made->expires_at, until);
        printf("%s waits for %s%s%.*s until %s\n", made->id, whose->row->by.ptr, whose->row->also.len ? " and " : "",
               SLICE_FMT(whose->row->also), until);
    }
    if (made->deciders == 0)
        fprintf(stderr, "warning: nobody else has the role %s where it covers %s: nobody can decide this\n",
                made->lacking, a->rules && whose->room[0] ? whose->room : "it");
    return CLI_OK;
}

static int request(struct approvals *a, const char *model, const char *span, const char *purpose,
                   struct approvals_whose *whose, bool is_json)
{
    struct fault why = {0};
    struct access_made made;
    int64_t seconds = approvals_span("--for", span);
    if (!seconds || !approvals_whose(a, model, whose)) return CLI_USAGE;
    if (!is_within(whose->row, seconds) || !has_purpose(whose->row, purpose)) return CLI_USAGE;
    struct access_spec spec = {.subject_kind = whose->subject_kind,
                               .subject = whose->subject,
                               .object = slice_str(model),
                               .purpose = slice_str(purpose),
                               .seconds = seconds,
                               .pending_s = a->rules->pending_s,
                               .requested_by = slice_str(a->person),
                               .department = whose->scope,
                               .rule = {whose->row->by, whose->row->also}};
    if (!registry_access_request(a->registry, &spec, &a->by, &made, &why))
        return approvals_refused(a, REGISTRY_FAILED, "model", model, &why, is_json);
    approvals_tell(a);
    return print_made(a, whose, &made, is_json);
}

int command_approvals_request(int argc, char **argv)
{
    static const char *span, *purpose, *app, *department, *person;
    const struct option options[] = {{"--for", OPTION_TEXT, &span},         {"--purpose", OPTION_TEXT, &purpose},
                                     {"--app", OPTION_TEXT, &app},          {"--department", OPTION_TEXT, &department},
                                     {"--person", OPTION_TEXT, &person},    {NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    struct approvals a;
    const char *model;
    size_t count;
    if (!cli_options(argc, argv, options, &common, &model, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"approvals", "request"});
    if (count != 1 || !span || !purpose)
        return cli_usage_error("moongate approvals request MODEL --for 7d --purpose \"what for\"",
                               "a model, how long, and what for");
    if (!approvals_open(&a, common.config, NULL, true)) return CLI_USAGE;
    struct approvals_whose whose = {.app = app, .department = department, .person = person};
    return approvals_close(&a, request(&a, model, span, purpose, &whose, common.is_json));
}
