#include <jansson.h>
#include <string.h>

#include "cli/approvals_inner.h"
#include "cli/table.h"

static void add_row(struct table *table, const struct approvals *a, const json_t *grant)
{
    char subject[300], until[32];
    int64_t revoked_at = approvals_number(grant, "revoked_at");
    bool is_glass = json_is_true(json_object_get(grant, "break_glass"));
    approvals_subject(a, grant, subject, sizeof subject);
    approvals_instant(revoked_at ? revoked_at : approvals_number(grant, "ends_at"), until);
    table_add(table, (const char *[]){approvals_text(grant, "id"), approvals_text(grant, "object"), subject,
                                      approvals_text(grant, "state"), until,
                                      !is_glass                           ? ""
                                      : json_object_get(grant, "closed_by") ? "closed"
                                                                            : "open",
                                      approvals_text(grant, "reason")});
    if (json_is_true(json_object_get(grant, "waits_for_me"))) table_mark(table, 5, TABLE_YELLOW);
}

static void add_imported(struct table *table, const json_t *imported)
{
    char subject[300];
    snprintf(subject, sizeof subject, "key:%s", approvals_text(imported, "key"));
    table_add(table, (const char *[]){"imported", approvals_text(imported, "model"), subject, "active", "", "",
                                      "from before there were grants: with the key"});
}

static void print_table(const struct approvals *a, const json_t *grants, const json_t *imported)
{
    static const struct table_column columns[] = {
        {.head = "ID"},
        {.head = "MODEL", .is_flexible = true},
        {.head = "FOR", .is_flexible = true},
        {.head = "STATE"},
        {.head = "UNTIL (UTC)", .goes = 2},
        {.head = "BREAK-GLASS", .goes = 3},
        {.head = "PURPOSE", .is_flexible = true, .goes = 4},
    };
    size_t i, count = json_array_size(grants) + json_array_size(imported);
    json_t *one;
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    json_array_foreach(grants, i, one) add_row(table, a, one);
    json_array_foreach(imported, i, one) add_imported(table, one);
    if (count) table_print(table);
    fflush(stdout);
    fprintf(stderr, "%zu grant%s\n", count, count == 1 ? "" : "s");
    table_free(table);
}

/* Those that are active, and break-glass that nobody has closed, unless all are wanted. Takes the list. */
static json_t *choose(const struct approvals *a, json_t *list, bool is_all, size_t *waiting)
{
    size_t i;
    json_t *chosen = json_array(), *grant;
    *waiting = 0;
    json_array_foreach(list, i, grant)
    {
        bool is_open = json_is_true(json_object_get(grant, "break_glass")) && !json_object_get(grant, "closed_by");
        bool is_his = approvals_is_unclosed(a, grant);
        *waiting += is_his;
        json_object_set_new(grant, "waits_for_me", json_boolean(is_his));
        bool is_active = strcmp(approvals_text(grant, "state"), "active") == 0;
        if (is_all || is_open || is_active) json_array_append(chosen, grant);
    }
    json_decref(list);
    return chosen;
}

static int list(const struct approvals *a, bool is_all, bool is_json)
{
    size_t waiting = 0;
    struct fault why = {0};
    json_t *grants = registry_grants(a->registry, SLICE(""), a->now_s, &why);
    json_t *imported = grants ? registry_grants_imported(a->registry, a->now_s, &why) : NULL;
    if (grants) grants = choose(a, grants, is_all, &waiting);
    if (!imported) cli_error(CLI_USAGE, NULL, "%s", fault_message(&why));
    else if (is_json) cli_print_json(json_pack("{s:O, s:O}", "grants", grants, "imported", imported));
    else print_table(a, grants, imported);
    int code = !imported ? CLI_USAGE : waiting ? CLI_FOUND : CLI_OK;
    json_decref(grants);
    json_decref(imported);
    return code;
}

int command_grants_list(int argc, char **argv)
{
    static bool is_all;
    struct common_options common;
    struct approvals a;
    const struct option options[] = {{"--all", OPTION_FLAG, &is_all}, {NULL, OPTION_FLAG, NULL}};
    if (!cli_options(argc, argv, options, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"grants", "list"});
    if (!approvals_open(&a, common.config, NULL, false)) return CLI_USAGE;
    return approvals_close(&a, list(&a, is_all, common.is_json));
}
