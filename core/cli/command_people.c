#include <jansson.h>

#include "cli/cli.h"
#include "cli/governing.h"
#include "cli/table.h"

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* "approver@sales, viewer@*" */
static const char *roles_of(const json_t *person, struct arena *arena)
{
    size_t i;
    json_t *role;
    const char *all = "";
    json_array_foreach (json_object_get(person, "roles"), i, role)
        all = arena_printf(arena, "%s%s%s@%s", all, *all ? ", " : "", text_of(role, "role"),
                           text_of(role, "scope"))
                  .ptr;
    return all;
}

static const char *state_of(const json_t *person, struct arena *arena)
{
    if (*text_of(person, "same_as")) return arena_printf(arena, "is %s", text_of(person, "same_as")).ptr;
    return *text_of(person, "disabled_at") ? "disabled" : "live";
}

static void print_people(const json_t *answer)
{
    static const struct table_column columns[] = {{.head = "ID"},
                                                  {.head = "NAME", .is_flexible = true},
                                                  {.head = "KIND", .goes = 3},
                                                  {.head = "ISSUER", .is_flexible = true, .goes = 2},
                                                  {.head = "SUBJECT", .is_flexible = true},
                                                  {.head = "DEPARTMENT", .is_flexible = true, .goes = 1},
                                                  {.head = "ROLES", .is_flexible = true},
                                                  {.head = "STATE"}};
    size_t i;
    json_t *p;
    struct arena arena;
    struct table *t = table_new(columns, sizeof columns / sizeof columns[0]);
    arena_init(&arena);
    json_array_foreach (json_object_get(answer, "items"), i, p)
        table_add(t, (const char *[]){text_of(p, "id"), text_of(p, "name"), text_of(p, "kind"), text_of(p, "issuer"),
                                      text_of(p, "subject"), text_of(p, "department"), roles_of(p, &arena),
                                      state_of(p, &arena)});
    table_print(t);
    table_free(t);
    arena_clear(&arena);
}

static void print_id(const json_t *answer)
{
    printf("%s\n", text_of(answer, "id"));
}

int command_people_list(int argc, char **argv)
{
    struct common_options common;
    if (!cli_options(argc, argv, NULL, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"people", "list"});
    return governing_run(&common, "GET", "/people", NULL, print_people);
}

int command_people_create(int argc, char **argv)
{
    static const char *name, *email, *department, *issuer, *reason;
    static bool is_service;
    const struct option options[] = {{"--name", OPTION_TEXT, &name},         {"--email", OPTION_TEXT, &email},
                                     {"--department", OPTION_TEXT, &department}, {"--issuer", OPTION_TEXT, &issuer},
                                     {"--reason", OPTION_TEXT, &reason},     {"--service", OPTION_FLAG, &is_service},
                                     {NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    const char *subject;
    size_t count;
    if (!cli_options(argc, argv, options, &common, &subject, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"people", "create"});
    if (!count) return cli_usage_error("moongate people create ana", "say who: the name of a login here, or what "
                                                                     "--issuer calls this person");
    json_t *body = json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:s?}", "subject", subject, "kind",
                             is_service ? "service" : "human", "name", name, "email", email, "department", department,
                             "issuer", issuer, "reason", reason);
    return governing_run(&common, "POST", "/people", body, print_id);
}

/* One whose id is the only word; `into`: its second, for merging. */
static int act(int argc, char **argv, const char *verb, const char *path)
{
    static const char *reason;
    const struct option options[] = {{"--reason", OPTION_TEXT, &reason}, {NULL, OPTION_FLAG, NULL}};
    bool is_merge = strcmp(verb, "merge") == 0;
    struct common_options common;
    const char *words[2] = {NULL, NULL};
    size_t count;
    struct buf to;
    if (!cli_options(argc, argv, options, &common, words, &count, is_merge ? 2 : 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"people", (char *)verb});
    if (count < (is_merge ? 2u : 1u))
        return cli_usage_error("`moongate people list` shows the ids", is_merge ? "say both: the id of who goes, then "
                                                                                  "of who stays"
                                                                                : "say who: the id");
    json_t *body = json_pack("{s:s?, s:s?}", "reason", reason, "into", words[1]);
    int code = governing_run(&common, "POST", governing_path(&to, path, words[0]), body, print_id);
    buf_clear(&to);
    return code;
}

int command_people_disable(int argc, char **argv)
{
    return act(argc, argv, "disable", "/people/%s/disable");
}

int command_people_enable(int argc, char **argv)
{
    return act(argc, argv, "enable", "/people/%s/enable");
}

int command_people_merge(int argc, char **argv)
{
    return act(argc, argv, "merge", "/people/%s/merge");
}
