#include <string.h>
#include <strings.h>

#include "base/finding.h"
#include "cli/cli.h"
#include "cli/fields.h"

/* Commands that are one line of the list: of a terminal's 24. */
static const struct family {
    const char *first; /* the word, and of its commands that one is listed at */
    const char *names, *summary;
} families[] = {
    {"check", "check, checklist", "configuration and policies, without a gateway; is all governed as it should be?"},
    {"checklist", NULL, NULL}, /* with the one before */
    {"requests", "requests, spend", "the requests there were; what was spent: by department, app, user, model, key …"},
    {"spend", NULL, NULL}, /* with the one before */
    {"audit", "audit, ledger", "search, export, verify, erase; backups, also of what is under governance: registry"},
    {"ledger", NULL, NULL}, /* with the one before */
    {"registry", NULL, NULL}, /* likewise */
    {"budgets", "budgets, limits", "how far budgets are used up; what limits a caller; `topup` adds for a while"},
    {"limits", NULL, NULL}, /* with the one before */
    {"topup", NULL, NULL}, /* likewise */
    {"approvals", "approvals", "what needs approval: ask, decide; `grants`, `prompts`; `reviews`: is it wanted still?"},
    {"grants", NULL, NULL}, /* with the one before */
    {"reviews", NULL, NULL}, /* likewise */
    {"prompts", NULL, NULL}, /* likewise */
    {"price", "price, tokens", "what so many tokens cost at a model; how many a text or a request is"},
    {"tokens", NULL, NULL}, /* with the one before */
    {"bundle", "keys, bundle", "create, list, revoke, rotate API keys; policies that people have to sign"},
    {"keys", NULL, NULL}, /* with the one before */
    {"people", "people, roles", "who may what; `provider` switches a provider account off, or on again"},
    {"roles", NULL, NULL}, /* with the one before */
    {"provider", NULL, NULL}, /* likewise */
    {"version", "version, help", "what is running here; a command, a diagnostic's code, fields of moongate.lua"},
    {"help", NULL, NULL}, /* with the one before */
};

static const struct family *family_of(const char *name)
{
    size_t word = strcspn(name, " ");
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        if (strncmp(families[i].first, name, word) == 0 && families[i].first[word] == '\0') return &families[i];
    }
    return NULL;
}

static void print_commands(void)
{
    const struct family *last = NULL;
    for (const struct command *c = cli_commands; c->name; c++) {
        const struct family *family = family_of(c->name);
        if (!family)
            printf("  %-15s %s\n", c->name, c->summary);
        else if (family != last && family->names)
            printf("  %-15s %s\n", family->names, family->summary);
        last = family;
    }
}

static void print_list(void)
{
    fputs("moongate run            then:  curl -H \"Authorization: Bearer $KEY\" http://127.0.0.1:8090/v1/models\n"
          "\n"
          "moongate is a gateway between applications and language models.\n"
          "\n",
          stdout);
    print_commands();
    fputs("\n`moongate help COMMAND` says more. Every command takes -c FILE, --json and --color WHEN.\n"
          "Exit codes: 0 fine, 1 something is wrong, 2 usage or unreadable input, 3 gateway unreachable.\n",
          stdout);
}

/* "MG0103", in any case. */
static bool is_code(const char *word)
{
    return strlen(word) == 6 && strncasecmp(word, "MG", 2) == 0 && strspn(word + 2, "0123456789") == 4;
}

static int explain_finding(enum finding finding)
{
    const struct finding_info *info = finding_info(finding);
    printf("%s: %s\n\n%s\n\n%s\n", info->code, info->title, info->cause, info->cure);
    return CLI_OK;
}

static int list_codes(void)
{
    for (int i = FINDING_NONE + 1; i < FINDING_COUNT; i++)
        printf("%s  %-18s %s\n", finding_info(i)->code, finding_info(i)->word, finding_info(i)->title);
    return CLI_OK;
}

/* moongate help config [TABLE or FIELD] */
static int list_fields(const char *only)
{
    if (only && strcmp(only, "--markdown") == 0) {
        fields_print_markdown(stdout);
        return CLI_OK;
    }
    if (!only) fputs("moongate.lua returns one table of these fields. What is left out has its default.\n\n", stdout);
    if (fields_print(stdout, only)) return CLI_OK;
    return cli_usage_error("`moongate help config` lists them", "there is no field `%s` in moongate.lua", only);
}

int command_help(int argc, char **argv)
{
    char name[64] = "";
    enum finding finding = argc == 1 ? finding_of(slice_str(argv[0])) : FINDING_NONE;
    if (finding) return explain_finding(finding);
    if (argc == 1 && is_code(argv[0]))
        return cli_usage_error("`moongate help codes` lists them", "there is no code %s", argv[0]);
    if (argc == 1 && strcmp(argv[0], "codes") == 0) return list_codes();
    if ((argc == 1 || argc == 2) && strcmp(argv[0], "config") == 0) return list_fields(argc == 2 ? argv[1] : NULL);
    if (argc == 0) {
        print_list();
        return CLI_OK;
    }
    if (argc == 1) snprintf(name, sizeof name, "%s", argv[0]);
    if (argc > 1) snprintf(name, sizeof name, "%s %s", argv[0], argv[1]);
    bool is_found = false;
    for (const struct command *c = cli_commands; c->name; c++) {
        size_t len = strlen(name);
        /* "keys" shows all that begin so. */
        if (strncmp(c->name, name, len) != 0 || (c->name[len] != '\0' && c->name[len] != ' ')) continue;
        if (is_found) fputc('\n', stdout);
        fputs(c->help, stdout);
        is_found = true;
    }
    if (is_found) return CLI_OK;
    return cli_usage_error("`moongate help` lists the commands", "there is no command `%s`", name);
}
