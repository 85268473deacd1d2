#include <jansson.h>

#include "cli/approvals_inner.h"

static void print_decided(const char *id, const struct access_decided *decided, bool is_json)
{
    char until[32];
    const char *state = decided->is_granted ? "approved" : decided->is_denied ? "denied" : "pending";
    approvals_instant(decided->ends_at, until);
    if (is_json) {
        json_t *said = json_pack("{s:s, s:s}", "id", id, "state", state);
        if (decided->is_granted) json_object_set_new(said, "grant", json_string(decided->grant));
        if (decided->is_granted) json_object_set_new(said, "ends_at", json_integer(decided->ends_at));
        if (decided->missing[0]) json_object_set_new(said, "missing", json_string(decided->missing));
        cli_print_json(said);
    } else if (decided->is_granted) {
        printf("approved %s: %s until %s UTC\n", id, decided->grant, until);
    } else if (decided->is_denied) {
        printf("denied %s\n", id);
    } else {
        printf("%s waits for a second person, of the role %s\n", id, decided->missing);
    }
}

/* The rule in force now, where the row still wants an approval; else that of when it was asked for. */
static const struct governance_row *rule_of(const struct approvals *a, const json_t *request)
{
    return governance_row(a->rules, slice_str(approvals_text(request, "object")),
                          slice_str(approvals_text(request, "department")));
}

static int decide(struct approvals *a, const char *id, bool is_approval, const char *comment, bool is_json)
{
    struct fault why = {0};
    struct access_decided decided;
    json_t *all = registry_access_requests(a->registry, slice_str(id), a->now_s, &why);
    json_t *one = approvals_one(all, "request", id, &why);
    if (!one) return CLI_FOUND;
    const struct governance_row *row = rule_of(a, one);
    struct access_rule rule = {.by = row ? row->by : SLICE_NONE, .also = row ? row->also : SLICE_NONE};
    struct access_verdict verdict = {.request = slice_str(id),
                                     .person = slice_str(a->person),
                                     .is_approval = is_approval,
                                     .comment = slice_str(comment),
                                     .rule = row ? &rule : NULL,
                                     .longest_s = row ? row->longest_s : 0,
                                     .if_rev = approvals_number(one, "rev")};
    json_decref(one);
    enum registry_found found = registry_access_decide(a->registry, &verdict, &a->by, &decided, &why);
    if (found != REGISTRY_FOUND) return approvals_refused(a, found, "request", id, &why, is_json);
    approvals_tell(a);
    print_decided(id, &decided, is_json);
    return CLI_OK;
}

static int run(int argc, char **argv, bool is_approval)
{
    static const char *comment;
    const struct option options[] = {{"--comment", OPTION_TEXT, &comment}, {NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    struct approvals a;
    const char *id;
    size_t count;
    if (!cli_options(argc, argv, options, &common, &id, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"approvals", is_approval ? "approve" : "deny"});
    if (count != 1) return cli_usage_error("`moongate approvals list` shows them", "the id of a request");
    if (!approvals_open(&a, common.config, comment, true)) return CLI_USAGE;
    return approvals_close(&a, decide(&a, id, is_approval, comment, common.is_json));
}

int command_approvals_approve(int argc, char **argv)
{
    return run(argc, argv, true);
}

int command_approvals_deny(int argc, char **argv)
{
    return run(argc, argv, false);
}
