#include <jansson.h>
#include <string.h>

#include "cli/approvals_inner.h"
#include "cli/reviews_inner.h"
#include "store/registry/reviews.h"

static const char *const unanswered[] = {
    [UNANSWERED_FLAG] = "flag", [UNANSWERED_REVOKE] = "revoke", [UNANSWERED_RECOMMENDATION] = "recommendation"};

static const struct governance_plan *find_plan(const struct approvals *a, const char *name)
{
    for (size_t i = 0; i < a->rules->plan_count; i++)
        if (slice_equal(a->rules->plans[i].name, slice_str(name))) return &a->rules->plans[i];
    cli_error(CLI_FOUND, "`reviews` of policies/governance.lua names them", "there is no plan `%s`", name);
    return NULL;
}

static unsigned kinds_of(unsigned scope)
{
    return (scope & SCOPE_ROWS ? REVIEW_ROWS : 0u) | (scope & SCOPE_GRANTS ? REVIEW_GRANTS : 0u) |
           (scope & SCOPE_KEYS ? REVIEW_KEYS : 0u) | (scope & SCOPE_ROLES ? REVIEW_ROLES : 0u);
}

static void print_made(const struct review_made *made, bool is_json)
{
    char due[32];
    approvals_instant(made->due_at, due);
    if (is_json)
        cli_print_json(json_pack("{s:s, s:I, s:I}", "id", made->id, "items", (json_int_t)made->items, "due_at",
                                 (json_int_t)made->due_at));
    else
        printf("%s  %lld items, due %s UTC\n", made->id, (long long)made->items, due);
}

static int open_plan(struct approvals *a, const struct governance_plan *plan, json_t *said, bool is_json)
{
    struct review_made made;
    struct fault why = {0};
    json_t *rows = json_object_get(said, "rows"), *usage = reviews_usage(a->data_dir, a->now_s - plan->unused_s, rows);
    struct review_spec spec = {.plan = plan->name,
                               .by = plan->by,
                               .scope = kinds_of(plan->scope),
                               .due_s = plan->due_s,
                               .unused_s = plan->unused_s,
                               .unanswered = slice_str(unanswered[plan->unanswered]),
                               .person = slice_str(a->person),
                               .bundle = slice_str(reviews_text(said, "digest")),
                               .rows = rows,
                               .usage = usage};
    bool is_good = registry_review_open(a->registry, &spec, &a->by, &made, &why);
    json_decref(usage);
    if (!is_good) return approvals_refused(a, REGISTRY_FAILED, "plan", "", &why, is_json);
    approvals_tell(a);
    print_made(&made, is_json);
    return CLI_OK;
}

int command_reviews_open(int argc, char **argv)
{
    static const char *reason;
    const struct option options[] = {{"--reason", OPTION_TEXT, &reason}, {NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    struct approvals a;
    const char *name;
    size_t count;
    if (!cli_options(argc, argv, options, &common, &name, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"reviews", "open"});
    if (count != 1) return cli_usage_error("moongate reviews open quarterly", "say which plan of governance.lua");
    if (!approvals_open(&a, common.config, reason, true)) return CLI_USAGE;
    const struct governance_plan *plan = find_plan(&a, name);
    json_t *said = plan ? reviews_rows(common.config) : NULL;
    int code = !plan ? CLI_FOUND : !said ? CLI_USAGE : open_plan(&a, plan, said, common.is_json);
    json_decref(said);
    return approvals_close(&a, code);
}
