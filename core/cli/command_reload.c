#include <jansson.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/folder.h"

/* Longer than a check and its preparation may take, twice: another reload may be under way. */
#define RELOAD_TIMEOUT_MS (2 * (LIMIT_CHECK_MS + LIMIT_GATE_MS_MAX + 2 * LIMIT_HEARTBEAT_MS))

static long long number_of(const json_t *answer, const char *name)
{
    return (long long)json_integer_value(json_object_get(answer, name));
}

static const char *text_of(const json_t *answer, const char *name)
{
    const char *text = json_string_value(json_object_get(answer, name));
    return text ? text : "";
}

static void print_answer(const json_t *answer, bool is_accepted)
{
    const json_t *report = json_object_get(answer, "report");
    cli_print_report(is_accepted ? stderr : stdout, report);
    if (is_accepted) {
        printf("accepted  generation %lld, policies %s, %lld workers\n", number_of(answer, "generation"),
               text_of(answer, "policies"), number_of(answer, "workers"));
    } else if (json_array_size(report) > 0) {
        printf("rejected: generation %lld stays in force (policies %.12s)\n", number_of(answer, "generation"),
               text_of(answer, "policies"));
    } else {
        printf("rejected: %s\n", text_of(answer, "error"));
    }
}

int command_reload(int argc, char **argv)
{
    struct common_options common;
    char why[256];
    if (!cli_options(argc, argv, NULL, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(1, (char *[]){"reload"});
    char *data_dir = folder_find(common.config);
    if (!data_dir) return CLI_USAGE;
    json_t *answer = cli_call(data_dir, "reload", RELOAD_TIMEOUT_MS, why, sizeof why);
    mem_free(data_dir);
    if (!answer) {
        return cli_error(CLI_UNREACHABLE, "is it running? -c names its configuration", "no gateway answers: %s", why);
    }
    bool is_accepted = json_is_true(json_object_get(answer, "ok"));
    if (common.is_json) {
        cli_print_json(json_incref(answer));
    } else {
        print_answer(answer, is_accepted);
    }
    json_decref(answer);
    return is_accepted ? CLI_OK : CLI_FOUND;
}
