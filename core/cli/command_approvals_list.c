#include <jansson.h>
#include <string.h>

#include "cli/approvals_inner.h"
#include "cli/table.h"

static void add_row(struct table *table, const struct approvals *a, const json_t *request)
{
    char subject[300], asker[300], until[32];
    approvals_subject(a, request, subject, sizeof subject);
    approvals_name_person(a, approvals_text(request, "requested_by"), asker, sizeof asker);
    approvals_instant(approvals_number(request, "expires_at"), until);
    table_add(table, (const char *[]){approvals_text(request, "id"), approvals_text(request, "object"), subject,
                                      approvals_text(request, "state"), approvals_text(request, "by"), until, asker,
                                      approvals_text(request, "purpose")});
    if (json_is_true(json_object_get(request, "waits_for_me"))) table_mark(table, 3, TABLE_YELLOW);
}

static void print_table(const struct approvals *a, const json_t *list, size_t waiting)
{
    static const struct table_column columns[] = {
        {.head = "ID"},
        {.head = "MODEL", .is_flexible = true},
        {.head = "FOR", .is_flexible = true},
        {.head = "STATE"},
        {.head = "BY", .goes = 3},
        {.head = "UNTIL (UTC)", .goes = 2},
        {.head = "ASKED BY", .goes = 1},
        {.head = "PURPOSE", .is_flexible = true, .goes = 4},
    };
    size_t i;
    json_t *request;
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    json_array_foreach(list, i, request) add_row(table, a, request);
    if (json_array_size(list)) table_print(table);
    fflush(stdout);
    fprintf(stderr, "%zu request%s, of which %zu wait%s for you\n", json_array_size(list),
            json_array_size(list) == 1 ? "" : "s", waiting, waiting == 1 ? "s" : "");
    table_free(table);
}

/* Those that are pending, unless all are wanted; each with whether it waits for him. Takes the list. */
static json_t *choose(const struct approvals *a, json_t *list, bool is_all, size_t *waiting)
{
    size_t i;
    json_t *chosen = json_array(), *request;
    *waiting = 0;
    json_array_foreach(list, i, request)
    {
        bool is_his = approvals_waits(a, request);
        *waiting += is_his;
        json_object_set_new(request, "waits_for_me", json_boolean(is_his));
        if (is_all || strcmp(approvals_text(request, "state"), "pending") == 0) json_array_append(chosen, request);
    }
    json_decref(list);
    return chosen;
}

static int list(const struct approvals *a, bool is_all, bool is_json)
{
    size_t waiting;
    struct fault why = {0};
    json_t *requests = registry_access_requests(a->registry, SLICE(""), a->now_s, &why);
    if (!requests) return cli_error(CLI_USAGE, NULL, "%s", fault_message(&why));
    requests = choose(a, requests, is_all, &waiting);
    if (is_json) cli_print_json(json_pack("{s:O}", "requests", requests));
    else print_table(a, requests, waiting);
    json_decref(requests);
    return waiting ? CLI_FOUND : CLI_OK;
}

int command_approvals_list(int argc, char **argv)
{
    static bool is_all;
    struct common_options common;
    struct approvals a;
    const struct option options[] = {{"--all", OPTION_FLAG, &is_all}, {NULL, OPTION_FLAG, NULL}};
    if (!cli_options(argc, argv, options, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"approvals", "list"});
    if (!approvals_open(&a, common.config, NULL, false)) return CLI_USAGE;
    return approvals_close(&a, list(&a, is_all, common.is_json));
}
