#include <jansson.h>

#include "cli/cli.h"
#include "cli/governing.h"
#include "cli/table.h"

#define EXAMPLE "moongate provider disable openai --until 12h --reason \"incident 4711\""

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static const char *state_of(const json_t *one)
{
    return json_is_true(json_object_get(one, "is_disabled")) ? "disabled" : "enabled";
}

static void print_switches(const json_t *answer)
{
    static const struct table_column columns[] = {{.head = "ACCOUNT"},
                                                  {.head = "STATE"},
                                                  {.head = "UNTIL"},
                                                  {.head = "SINCE", .goes = 1},
                                                  {.head = "BY", .goes = 2},
                                                  {.head = "REASON", .is_flexible = true}};
    size_t i;
    json_t *s;
    struct table *t = table_new(columns, sizeof columns / sizeof columns[0]);
    json_array_foreach (json_object_get(answer, "items"), i, s)
        table_add(t, (const char *[]){text_of(s, "provider"), state_of(s), text_of(s, "ends_at"), text_of(s, "at"),
                                      text_of(s, "person"), text_of(s, "reason")});
    table_print(t);
    table_free(t);
}

static void print_switch(const json_t *answer)
{
    const char *end = text_of(answer, "ends_at");
    printf("%s is %s%s%s\n", text_of(answer, "provider"), state_of(answer), *end ? " until " : "", end);
}

int command_provider_list(int argc, char **argv)
{
    struct common_options common;
    if (!cli_options(argc, argv, NULL, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"provider", "list"});
    return governing_run(&common, "GET", "/providers", NULL, print_switches);
}

static int throw(const struct common_options *common, const char *path, const char *account, json_t *body)
{
    struct buf to;
    int code = governing_run(common, "POST", governing_path(&to, path, account), body, print_switch);
    buf_clear(&to);
    return code;
}

int command_provider_disable(int argc, char **argv)
{
    static const char *until, *reason;
    static bool is_cut;
    const struct option options[] = {{"--until", OPTION_TEXT, &until},
                                     {"--reason", OPTION_TEXT, &reason},
                                     {"--cut", OPTION_FLAG, &is_cut},
                                     {NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    const char *account;
    size_t count;
    if (!cli_options(argc, argv, options, &common, &account, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"provider", "disable"});
    if (!count) return cli_usage_error(EXAMPLE, "say which account, as moongate.lua names it");
    if (!reason) return cli_usage_error(EXAMPLE, "say what for: --reason");
    json_t *end = governing_instant("--until", until);
    if (!end) return CLI_USAGE;
    return throw(&common, "/providers/%s/disable", account,
                 json_pack("{s:o, s:s, s:b}", "until", end, "reason", reason, "cut", is_cut));
}

int command_provider_enable(int argc, char **argv)
{
    static const char *reason;
    const struct option options[] = {{"--reason", OPTION_TEXT, &reason}, {NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    const char *account;
    size_t count;
    if (!cli_options(argc, argv, options, &common, &account, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"provider", "enable"});
    if (!count) return cli_usage_error("`moongate provider list` shows them", "say which account");
    return throw(&common, "/providers/%s/enable", account, json_pack("{s:s?}", "reason", reason));
}
