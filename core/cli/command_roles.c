#include <jansson.h>

#include "cli/cli.h"
#include "cli/governing.h"
#include "cli/table.h"

#define EXAMPLE "moongate roles give per_7Q2fR8sT1uVw approver --scope sales"

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static void print_roles(const json_t *answer)
{
    static const struct table_column columns[] = {{.head = "PERSON"},
                                                  {.head = "ROLE"},
                                                  {.head = "SCOPE", .is_flexible = true},
                                                  {.head = "GIVEN BY", .goes = 1},
                                                  {.head = "SINCE", .goes = 2},
                                                  {.head = "ENDS"}};
    size_t i;
    json_t *r;
    struct table *t = table_new(columns, sizeof columns / sizeof columns[0]);
    json_array_foreach (json_object_get(answer, "items"), i, r)
        table_add(t, (const char *[]){text_of(r, "person"), text_of(r, "role"), text_of(r, "scope"),
                                      text_of(r, "given_by"), text_of(r, "at"),
                                      *text_of(r, "ends_at") ? text_of(r, "ends_at") : "never"});
    table_print(t);
    table_free(t);
}

static void print_person(const json_t *answer)
{
    printf("%s\n", text_of(answer, "id"));
}

int command_roles_list(int argc, char **argv)
{
    struct common_options common;
    if (!cli_options(argc, argv, NULL, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"roles", "list"});
    return governing_run(&common, "GET", "/roles", NULL, print_roles);
}

int command_roles_give(int argc, char **argv)
{
    static const char *scope = "*", *until, *reason;
    const struct option options[] = {{"--scope", OPTION_TEXT, &scope},
                                     {"--until", OPTION_TEXT, &until},
                                     {"--reason", OPTION_TEXT, &reason},
                                     {NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    const char *words[2];
    size_t count;
    if (!cli_options(argc, argv, options, &common, words, &count, 2)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"roles", "give"});
    if (count < 2) return cli_usage_error(EXAMPLE, "say who gets which role");
    json_t *end = governing_instant("--until", until);
    if (!end) return CLI_USAGE;
    return governing_run(&common, "POST", "/roles",
                         json_pack("{s:s, s:s, s:s, s:o, s:s?}", "person", words[0], "role", words[1], "scope", scope,
                                   "ends_at", end, "reason", reason),
                         print_person);
}

int command_roles_take(int argc, char **argv)
{
    static const char *scope = "*", *reason;
    const struct option options[] = {
        {"--scope", OPTION_TEXT, &scope}, {"--reason", OPTION_TEXT, &reason}, {NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    const char *words[2];
    size_t count;
    struct buf person, role, path;
    if (!cli_options(argc, argv, options, &common, words, &count, 2)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"roles", "take"});
    if (count < 2) return cli_usage_error("`moongate roles list` shows them", "say from whom which role");
    governing_path(&person, "/roles/%s/", words[0]);
    governing_path(&role, "%s/", words[1]);
    governing_path(&path, "%s", scope);
    buf_shorten(&person, buf_len(&person) - 1);
    buf_shorten(&role, buf_len(&role) - 1);
    buf_append(&person, buf_slice(&role));
    buf_append(&person, buf_slice(&path)); /* its NUL ends all */
    int code = governing_run(&common, "DELETE", buf_ptr(&person), json_pack("{s:s?}", "reason", reason), print_person);
    buf_clear(&person);
    buf_clear(&role);
    buf_clear(&path);
    return code;
}
