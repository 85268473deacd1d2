#include <inttypes.h>
#include <jansson.h>

#include "base/limits.h"
#include "base/login.h"
#include "cli/cli.h"
#include "cli/sealing.h"
#include "server/kept.h"

/* As a reload, which may have to wait for another. */
#define ROLLBACK_TIMEOUT_MS (2 * (LIMIT_CHECK_MS + LIMIT_GATE_MS_MAX + 2 * LIMIT_HEARTBEAT_MS))

/* The newest that is older than what is in force. 0: there is none. */
static uint64_t before(const struct sealing *s)
{
    uint64_t serials[KEPT_LIST_MAX];
    size_t count = kept_list(s->config->settings->data_dir.ptr, serials);
    for (size_t i = 0; i < count; i++) {
        if (serials[i] < s->last.serial) return serials[i];
    }
    return 0;
}

static int go_back(const struct sealing *s, uint64_t serial, bool is_json)
{
    char why[256], login[LIMIT_LOGIN_BYTES + 1];
    login_caller(login);
    json_t *request = json_pack("{s:s, s:s, s:I}", "cmd", "bundle_rollback", "login", login, "serial",
                                (json_int_t)serial);
    json_t *answer = cli_call_with(s->config->settings->data_dir.ptr, request, ROLLBACK_TIMEOUT_MS, why, sizeof why);
    if (!answer)
        return cli_error(CLI_UNREACHABLE, "is it running? -c names its configuration", "no gateway answers: %s", why);
    bool is_good = json_is_true(json_object_get(answer, "ok"));
    const char *error = json_string_value(json_object_get(answer, "error"));
    if (is_json) {
        cli_print_json(json_incref(answer));
    } else if (is_good) {
        printf("serial %" PRIu64 " is in force again, policies %s\n", serial,
               json_string_value(json_object_get(answer, "policies")));
        printf("the folder is as it was: the next bundle needs a serial above all that were\n");
    } else {
        cli_print_report(stdout, json_object_get(answer, "report"));
        printf("refused: %s\n", error ? error : "");
    }
    json_decref(answer);
    return is_good ? CLI_OK : CLI_FOUND;
}

int command_bundle_rollback(int argc, char **argv)
{
    const char *word = NULL;
    size_t words = 1;
    struct common_options common;
    struct sealing s;
    uint64_t serial = 0;
    if (!cli_options(argc, argv, NULL, &common, &word, &words, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"bundle", "rollback"});
    if (word && (!slice_to_u64(slice_str(word), &serial) || !serial))
        return cli_usage_error("moongate bundle rollback 41", "%s is no serial", word);
    if (!sealing_open(&s, common.config)) return CLI_USAGE;
    if (!word) serial = before(&s);
    int code = serial ? go_back(&s, serial, common.is_json)
                      : cli_error(CLI_FOUND, "`moongate bundle status` lists those that are kept",
                                  "no accepted bundle before the one in force is kept");
    sealing_close(&s);
    return code;
}
